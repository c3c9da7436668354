import { type Algorithm, isRecord, type PublicKey, readKeys } from "./algorithms.ts";
import { type Fetch, FetchError, fetchJson, type JsonAnswer } from "./fetch-json.ts";
import { metadataUrlOf, requireSafeUrl } from "./issuer-url.ts";

/** The keys of an issuer, kept fresh behind the calls. */
export interface IssuerKeys {
  /** Fetches the keys, again and again until they are there. @throws FetchError, the last one, after `timeoutMs` */
  start(timeoutMs: number): Promise<void>;
  find(kid: string): PublicKey | undefined;
  /**
   * Asks the issuer for a key that nobody knows yet, at most once in a while however many ask.
   *
   * @returns undefined where the issuer does not have it
   * @throws FetchError where the issuer could not be asked
   */
  seek(kid: string): Promise<PublicKey | undefined>;
  stop(): void;
}

export interface IssuerKeysOptions {
  readonly issuer: string;
  /** Where the keys are; by default the issuer's metadata says it (RFC 8414). */
  readonly jwksUri?: string;
  readonly algorithms: ReadonlySet<Algorithm>;
  readonly fetch: Fetch;
  readonly timeoutMs: number;
  readonly unknownKeySeconds: number;
  readonly allowPlainHttp: boolean;
}

/** Between these an issuer's Cache-Control is followed. */
const freshSecondsMin = 1;
const freshSecondsMax = 3600;
const freshSecondsUnsaid = 300;
/** After failures in a row the next attempt waits from one second, doubled each time, to this. */
const waitSecondsMax = 30;

/**
 * Keeps an issuer's keys: they are fetched anew before they are stale by Cache-Control, one fetch at a time. While the
 * issuer is away the old ones stay.
 */
export function createIssuerKeys(options: IssuerKeysOptions): IssuerKeys {
  const { fetch, timeoutMs, algorithms } = options;
  const findJwksUri = createJwksUri(options);
  let keys: ReadonlyMap<string, PublicKey> = new Map();
  let fetching: Promise<void> | null = null;
  let failure: FetchError | null = null;
  let failuresInRow = 0;
  let soughtAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  const wait = (seconds: number): void => {
    clearTimeout(timer);
    if (isStopped) return;
    // Up to a tenth earlier, so that many verifiers do not ask at one moment.
    timer = setTimeout(() => void refresh(), seconds * (1 - Math.random() / 10) * 1000).unref();
  };

  const take = ({ body, freshSeconds }: JsonAnswer): void => {
    keys = readKeys(body, algorithms);
    failure = null;
    failuresInRow = 0;
    wait(Math.min(Math.max(freshSeconds ?? freshSecondsUnsaid, freshSecondsMin), freshSecondsMax));
  };

  const fail = (error: unknown): void => {
    failure =
      error instanceof FetchError
        ? error
        : new FetchError("The issuer's answer is of no use", { cause: error });
    const seconds = Math.min(2 ** failuresInRow, waitSecondsMax);
    failuresInRow += 1;
    wait(Math.max(seconds, Math.min(failure.retryAfterSeconds ?? 0, freshSecondsMax)));
  };

  const refresh = (): Promise<void> => {
    fetching ??= findJwksUri()
      .then((uri) => fetchJson(uri, { fetch, timeoutMs }))
      .then(take)
      .catch(fail)
      .finally(() => {
        fetching = null;
      });
    return fetching;
  };

  return {
    async start(limitMs) {
      isStopped = false;
      const end = performance.now() + limitMs;
      for (;;) {
        await refresh();
        if (failure === null) return;
        const restMs = end - performance.now();
        if (restMs <= 0) throw failure;
        await new Promise((resolve) => setTimeout(resolve, Math.min(restMs, 250)));
      }
    },
    find: (kid) => keys.get(kid),
    async seek(kid) {
      if (fetching === null && performance.now() - soughtAt >= options.unknownKeySeconds * 1000) {
        soughtAt = performance.now();
        await refresh();
      } else {
        await fetching;
      }
      const found = keys.get(kid);
      if (found === undefined && failure !== null) throw failure;
      return found;
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

/** Finds out once where the keys are. The metadata must name the issuer that was asked (RFC 8414 section 3.3). */
function createJwksUri(options: IssuerKeysOptions): () => Promise<string> {
  const { issuer, jwksUri, fetch, timeoutMs, allowPlainHttp } = options;
  const requireUrl = (text: unknown, what: string): URL => requireSafeUrl(text, what, allowPlainHttp);
  let known = jwksUri === undefined ? null : requireUrl(jwksUri, "jwksUri").href;
  const metadataUrl = metadataUrlOf(requireUrl(issuer, "issuer"));
  return async () => {
    if (known !== null) return known;
    const { body } = await fetchJson(metadataUrl, { fetch, timeoutMs });
    const metadata = isRecord(body) ? body : {};
    if (metadata["issuer"] !== issuer) {
      throw new FetchError(`GET ${metadataUrl}: the answer is the metadata of another issuer`);
    }
    known = requireUrl(metadata["jwks_uri"], "address of the issuer's keys").href;
    return known;
  };
}
