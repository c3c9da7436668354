import { readJsonObject } from "./compact-jws.ts";
import { VerifyError } from "./verify-error.ts";

/** What a genuine access token says (RFC 9068 section 2.2). Times are seconds since the epoch. */
export interface AccessToken {
  /** The user's id; of a client's own token, the client's. */
  readonly subject: string;
  readonly clientId: string;
  /** The session that the token belongs to; null in a client's own token. */
  readonly sessionId: string | null;
  readonly scopes: readonly string[];
  /** The user's roles when the token was issued. */
  readonly roles: readonly string[];
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly id: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** 0 where the token does not say. */
  readonly notBefore: number;
  /** When the user signed in; null in a client's own token. */
  readonly authTime: number | null;
  /** How the user signed in (RFC 8176). */
  readonly amr: readonly string[];
  /** Every claim as it was sent. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * Reads the claims of a token whose signature was verified.
 *
 * @throws VerifyError `invalid_claims` where one that RFC 9068 requires is missing, or a known one has another form
 */
export function readAccessToken(payload: Buffer): AccessToken {
  const claims = readJsonObject(payload);
  const { iss, sub, aud, jti, iat, exp, client_id: clientId } = claims;
  const { nbf = 0, scope = "", sid = null, roles = [], auth_time: authTime = null, amr = [] } = claims;
  const audience = typeof aud === "string" ? [aud] : aud;
  const isWhole =
    isText(iss) && isText(sub) && isText(jti) && isText(clientId) && isTexts(audience) && audience.length > 0;
  const isTimed = isTime(iat) && isTime(exp) && isTime(nbf) && (authTime === null || isTime(authTime));
  const isKnown =
    typeof scope === "string" && (sid === null || isText(sid)) && isTexts(roles) && isTexts(amr);
  if (!isWhole || !isTimed || !isKnown) throw new VerifyError("invalid_claims");
  return {
    subject: sub,
    clientId,
    sessionId: sid,
    scopes: scope.split(" ").filter((name) => name !== ""),
    roles,
    issuer: iss,
    audience,
    id: jti,
    issuedAt: iat,
    expiresAt: exp,
    notBefore: nbf,
    authTime,
    amr,
    claims,
  };
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

/** A NumericDate (RFC 7519 section 2). */
function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
