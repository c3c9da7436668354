import { isRecord } from "./algorithms.ts";
import { type Fetch, FetchError, fetchJson } from "./fetch-json.ts";
import { requireSafeUrl } from "./issuer-url.ts";

export { FetchError } from "./fetch-json.ts";

export interface TokenSourceOptions {
  /** Where tokens are asked for: `https://id.example.com/auth/token`. */
  readonly tokenEndpoint: string;
  readonly clientId: string;
  /** The secret, or what reads it each time that it is needed, so that it can be changed in place. */
  readonly clientSecret: string | (() => string | Promise<string>);
  /** By default what the client is registered for. */
  readonly scopes?: readonly string[];
  /** How long an answer is waited for, in milliseconds: 5,000 by default. */
  readonly timeoutMs?: number;
  /** Takes plain http that is not on this machine. Whoever is between can then read the secret. */
  readonly allowPlainHttp?: boolean;
  /** By default the global one. */
  readonly fetch?: Fetch;
}

/** A machine's own access token (RFC 6749 section 4.4), renewed before it ends. */
export interface TokenSource {
  /**
   * A token that lives for a while yet. While one does, nobody waits: it is renewed behind the calls after four fifths
   * of its life. At most one request is under way, however many ask.
   *
   * @throws FetchError where there is none and none can be had; within what Retry-After asked for without a request
   */
  token(): Promise<string>;
  /** Forgets a token that a service has refused. Another one stays. */
  forget(token: string): void;
}

interface Held {
  readonly token: string;
  /** By performance.now(). */
  readonly renewAt: number;
  readonly endsAt: number;
}

/** A token with less life than this is not handed out: the call that it is for takes time too. */
const marginMs = 5_000;
/** After a failure without Retry-After the next request waits this long. */
const pauseMs = 1_000;
const pauseMsMax = 60_000;

/** @throws Error where the address cannot be used */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const { clientId, clientSecret, scopes = [], timeoutMs = 5_000, allowPlainHttp = false } = options;
  const url = requireSafeUrl(options.tokenEndpoint, "token endpoint", allowPlainHttp).href;
  let held: Held | null = null;
  let asking: Promise<Held> | null = null;
  let failure: { readonly error: unknown; readonly until: number } | null = null;

  const ask = async (): Promise<Held> => {
    const secret = typeof clientSecret === "string" ? clientSecret : await clientSecret();
    const sentAt = performance.now();
    const { body } = await fetchJson(url, {
      fetch: options.fetch ?? fetch,
      timeoutMs,
      method: "POST",
      headers: {
        authorization: `Basic ${basicOf(clientId, secret)}`,
        "content-type": "application/x-www-form-urlencoded",
      },
      body: new URLSearchParams({
        grant_type: "client_credentials",
        ...(scopes.length > 0 ? { scope: scopes.join(" ") } : {}),
      }).toString(),
    });
    return readHeld(body, sentAt, url);
  };

  const renew = async (): Promise<Held> => {
    if (failure !== null && performance.now() < failure.until) throw failure.error;
    asking ??= ask()
      .then(
        (answer) => {
          failure = null;
          held = answer;
          return answer;
        },
        (error: unknown) => {
          const askedMs = error instanceof FetchError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
          const waitMs = Math.min(Math.max(askedMs, pauseMs), pauseMsMax);
          failure = { error, until: performance.now() + waitMs };
          throw error;
        },
      )
      .finally(() => {
        asking = null;
      });
    return asking;
  };

  return {
    async token() {
      const now = performance.now();
      if (held === null || now >= held.endsAt - marginMs) return (await renew()).token;
      // A failure is told to whoever needs the next token; this one still lives.
      if (now >= held.renewAt) renew().catch(() => undefined);
      return held.token;
    },
    forget(token) {
      if (held?.token === token) held = null;
    },
  };
}

function readHeld(body: unknown, sentAt: number, url: string): Held {
  const { access_token: token, expires_in: expiresIn, token_type: type } = isRecord(body) ? body : {};
  if (typeof token !== "string" || typeof type !== "string" || type.toLowerCase() !== "bearer") {
    throw new FetchError(`POST ${url}: the answer is no token`);
  }
  if (typeof expiresIn !== "number" || !(expiresIn > 0)) {
    throw new FetchError(`POST ${url}: the answer does not say when the token ends`);
  }
  return { token, renewAt: sentAt + expiresIn * 800, endsAt: sentAt + expiresIn * 1000 };
}

/** RFC 6749 section 2.3.1: each part is form-encoded before the two are joined. */
function basicOf(clientId: string, secret: string): string {
  const encode = (text: string): string => new URLSearchParams({ "": text }).toString().slice(1);
  return Buffer.from(`${encode(clientId)}:${encode(secret)}`).toString("base64");
}
