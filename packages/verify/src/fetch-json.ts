/** What a server answered. */
export interface JsonAnswer {
  readonly body: unknown;
  /** How long the answer may be kept by its own words (RFC 9111 section 4.2); null where it does not say. */
  readonly freshSeconds: number | null;
}

/** A request that got no usable answer. Its message names the address and the cause, and no secret. */
export class FetchError extends Error {
  override readonly name = "FetchError";
  /** The status of the answer; null where there was none. */
  readonly status: number | null;
  /** What Retry-After asked for; null where it asked for nothing. */
  readonly retryAfterSeconds: number | null;

  constructor(
    message: string,
    {
      status = null,
      retryAfterSeconds = null,
      cause,
    }: { status?: number | null; retryAfterSeconds?: number | null; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** How requests are made: the part of Fetch that is needed. */
export type Fetch = (
  url: string,
  init: {
    readonly method: string;
    readonly headers: Record<string, string>;
    readonly body?: string;
    readonly redirect: "error";
    readonly signal: AbortSignal;
  },
) => Promise<Response>;

const answerBytesMax = 256 * 1024;

/**
 * Asks for JSON. Redirects are refused, and so are answers above 256 KiB.
 *
 * @throws FetchError without an answer in time, for a status other than 2xx, and for a body that is not JSON
 */
export async function fetchJson(
  url: string,
  options: {
    readonly fetch: Fetch;
    readonly timeoutMs: number;
    readonly method?: "GET" | "POST";
    readonly headers?: Record<string, string>;
    readonly body?: string;
  },
): Promise<JsonAnswer> {
  const { fetch, timeoutMs, method = "GET", headers = {}, body } = options;
  const what = `${method} ${url}`;
  try {
    const response = await fetch(url, {
      method,
      headers: { accept: "application/json", ...headers },
      ...(body === undefined ? {} : { body }),
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await readText(response, what);
    if (!response.ok) {
      const retryAfterSeconds = readRetryAfter(response.headers.get("retry-after"));
      throw new FetchError(`${what}: status ${response.status}`, {
        status: response.status,
        retryAfterSeconds,
      });
    }
    return { body: parse(text, what), freshSeconds: readFreshness(response.headers) };
  } catch (error) {
    if (error instanceof FetchError) throw error;
    throw new FetchError(`${what}: no answer`, { cause: error });
  }
}

async function readText(response: Response, what: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const body: AsyncIterable<Uint8Array> | null = response.body;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > answerBytesMax) throw new FetchError(`${what}: the answer is too long`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FetchError(`${what}: the answer is not JSON`);
  }
}

function readFreshness(headers: Headers): number | null {
  const [, maxAge] = /(?:^|[\s,])max-age="?(\d{1,9})/i.exec(headers.get("cache-control") ?? "") ?? [];
  if (maxAge === undefined) return null;
  const age = Number(headers.get("age") ?? 0);
  return Math.max(0, Number(maxAge) - (Number.isFinite(age) ? age : 0));
}

/** RFC 9110 section 10.2.3: seconds, or a date. */
function readRetryAfter(value: string | null): number | null {
  if (value === null) return null;
  const seconds = /^\d{1,9}$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null;
}
