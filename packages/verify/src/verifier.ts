import { type AccessRule, requireAccess } from "./access-rule.ts";
import { type AccessToken, readAccessToken } from "./access-token.ts";
import { type Algorithm, algorithms as allAlgorithms, isSignedBy, type PublicKey } from "./algorithms.ts";
import { readBearer } from "./bearer.ts";
import { readCompactJws } from "./compact-jws.ts";
import type { Fetch } from "./fetch-json.ts";
import { createIssuerKeys } from "./issuer-keys.ts";
import { createRemembered } from "./remembered.ts";
import { VerifyError } from "./verify-error.ts";

export interface VerifierOptions {
  /** The issuer, as its tokens and its metadata spell it: `https://id.example.com`. */
  readonly issuer: string;
  /** The audience that this service is: a token must name it, or one of several. */
  readonly audience: string | readonly string[];
  /** The algorithms that are taken: by default ES256, EdDSA, PS256 and RS256. */
  readonly algorithms?: readonly Algorithm[];
  /** How far this machine's clock may be from the issuer's, in seconds: 60 by default. */
  readonly clockToleranceSeconds?: number;
  /** Where the issuer's keys are; by default its metadata says it (RFC 8414). */
  readonly jwksUri?: string;
  /** A key that is unknown is asked for at most once in so many seconds: 10 by default. */
  readonly unknownKeySeconds?: number;
  /** How long an answer of the issuer is waited for, in milliseconds: 5,000 by default. */
  readonly timeoutMs?: number;
  /** Takes an issuer by plain http that is not on this machine. Whoever is between can then make tokens. */
  readonly allowPlainHttp?: boolean;
  /** By default the global one. */
  readonly fetch?: Fetch;
  /** The time in milliseconds since the epoch: by default Date.now. */
  readonly now?: () => number;
}

/** Verifies access tokens of one issuer for one service, without a request for each. */
export interface Verifier {
  /**
   * Fetches the issuer's keys and keeps them fresh.
   *
   * @throws FetchError where they cannot be had within `timeoutMs`, by default 10,000
   */
  start(options?: { readonly timeoutMs?: number }): Promise<void>;
  /** @throws VerifyError for every token that does not count now */
  verify(token: string): Promise<AccessToken>;
  /**
   * What an adapter asks for each call.
   *
   * @param authorization the value of the Authorization field, where there is one
   * @returns null where anyone may call: the field is not looked at then
   * @throws VerifyError
   */
  authorize(authorization: string | undefined, rule: AccessRule): Promise<AccessToken | null>;
  /** Stops fetching keys. */
  stop(): void;
}

interface Verified {
  readonly kid: string;
  readonly token: AccessToken;
}

/**
 * Creates a verifier by RFC 9068 section 4 and RFC 8725. A token that passed is remembered by its text, and then
 * asked for its key and its times alone.
 *
 * @throws Error where the options cannot work
 */
export function createVerifier(options: VerifierOptions): Verifier {
  const { issuer, clockToleranceSeconds = 60, now = Date.now } = options;
  const audiences = new Set(typeof options.audience === "string" ? [options.audience] : options.audience);
  const allowed = requireAlgorithms(options.algorithms ?? allAlgorithms);
  if (audiences.size === 0 || audiences.has("")) throw new Error("A verifier needs its service's audience.");
  if (!(clockToleranceSeconds >= 0 && clockToleranceSeconds <= 600)) {
    throw new Error("clockToleranceSeconds must be between 0 and 600.");
  }
  const keys = createIssuerKeys({
    issuer,
    ...(options.jwksUri === undefined ? {} : { jwksUri: options.jwksUri }),
    algorithms: allowed,
    fetch: options.fetch ?? fetch,
    timeoutMs: options.timeoutMs ?? 5_000,
    unknownKeySeconds: options.unknownKeySeconds ?? 10,
    allowPlainHttp: options.allowPlainHttp ?? false,
  });
  const remembered = createRemembered<Verified>();

  const requireTimely = (token: AccessToken): AccessToken => {
    const seconds = now() / 1000;
    if (seconds >= token.expiresAt + clockToleranceSeconds) throw new VerifyError("expired");
    if (seconds < token.notBefore - clockToleranceSeconds) throw new VerifyError("not_yet_valid");
    return token;
  };

  const findKey = async (kid: string): Promise<PublicKey> => {
    try {
      const key = keys.find(kid) ?? (await keys.seek(kid));
      if (key !== undefined) return key;
    } catch (cause) {
      throw new VerifyError("keys_unavailable", { cause });
    }
    throw new VerifyError("unknown_key");
  };

  const verifyAnew = async (text: string): Promise<Verified> => {
    const { header, input, payload, signature } = readCompactJws(text);
    const kid = requireHeader(header, allowed);
    const key = await findKey(kid);
    // RFC 8725 section 3.1: the algorithm is the key's, and a token that names another is refused.
    if (header["alg"] !== key.algorithm) throw new VerifyError("algorithm_not_allowed");
    if (!isSignedBy(key, input, signature)) throw new VerifyError("bad_signature");
    const token = readAccessToken(payload);
    if (token.issuer !== issuer) throw new VerifyError("wrong_issuer");
    if (!token.audience.some((name) => audiences.has(name))) throw new VerifyError("wrong_audience");
    return { kid, token };
  };

  const verify = async (text: string): Promise<AccessToken> => {
    const known = remembered.find(text);
    if (known !== undefined && keys.find(known.kid) !== undefined) return requireTimely(known.token);
    const verified = await verifyAnew(text);
    const token = requireTimely(verified.token);
    remembered.add(text, verified);
    return token;
  };

  return {
    start: ({ timeoutMs = 10_000 } = {}) => keys.start(timeoutMs),
    verify,
    async authorize(authorization, rule) {
      if (rule.anyone) return null;
      const token = await verify(readBearer(authorization));
      requireAccess(token, rule);
      return token;
    },
    stop: () => keys.stop(),
  };
}

function requireAlgorithms(names: readonly Algorithm[]): ReadonlySet<Algorithm> {
  const unknown = names.find((name) => !allAlgorithms.includes(name));
  if (unknown !== undefined || names.length === 0) {
    throw new Error(`algorithms must be some of ${allAlgorithms.join(", ")}.`);
  }
  return new Set(names);
}

/**
 * What a header must say before a key is looked for. RFC 7515 section 4.1.11: an extension that must be understood is
 * one that we do not. RFC 9068 section 4: the type, which may be spelled as a whole media type.
 *
 * @returns the key's id
 */
function requireHeader(header: Readonly<Record<string, unknown>>, allowed: ReadonlySet<Algorithm>): string {
  const { typ, alg, kid, crit } = header;
  const isAccessToken = typeof typ === "string" && /^(?:application\/)?at\+jwt$/i.test(typ);
  if (crit !== undefined) throw new VerifyError("malformed");
  if (!isAccessToken) throw new VerifyError("wrong_type");
  if (![...allowed].some((name) => name === alg)) throw new VerifyError("algorithm_not_allowed");
  if (typeof kid !== "string") throw new VerifyError("unknown_key");
  return kid;
}
