/** Every reason for which a call can be refused: what it means in HTTP, in gRPC and in OAuth (RFC 6750 section 3.1). */
const refusals = {
  missing_token: { kind: "unauthenticated", text: "The call has no access token." },
  malformed: { kind: "unauthenticated", text: "The access token is not a signed JWT." },
  wrong_type: { kind: "unauthenticated", text: "The token is not an access token." },
  algorithm_not_allowed: { kind: "unauthenticated", text: "The access token's algorithm is not allowed." },
  unknown_key: { kind: "unauthenticated", text: "The access token's key is not one of the issuer's." },
  bad_signature: { kind: "unauthenticated", text: "The access token's signature is wrong." },
  invalid_claims: {
    kind: "unauthenticated",
    text: "The access token lacks a claim, or one has a wrong form.",
  },
  wrong_issuer: { kind: "unauthenticated", text: "The access token is another issuer's." },
  wrong_audience: { kind: "unauthenticated", text: "The access token is for another audience." },
  not_yet_valid: { kind: "unauthenticated", text: "The access token is not valid yet." },
  expired: { kind: "unauthenticated", text: "The access token has expired." },
  insufficient_scope: { kind: "denied", text: "The access token lacks a scope." },
  insufficient_role: { kind: "denied", text: "The user lacks a role." },
  no_rule: { kind: "denied", text: "Nothing says who may make this call." },
  keys_unavailable: { kind: "unavailable", text: "The issuer's keys cannot be had now." },
} as const;

/** Why a call is refused. Names are stable: a service may branch on them. */
export type VerifyReason = keyof typeof refusals;

/**
 * What a refusal is: `unauthenticated` (401, UNAUTHENTICATED), `denied` (403, PERMISSION_DENIED), or `unavailable`
 * (503, UNAVAILABLE), where nothing can be said of the token now.
 */
export type RefusalKind = (typeof refusals)[VerifyReason]["kind"];

/** All reasons, for tables and tests. */
export const verifyReasons = Object.keys(refusals) as readonly VerifyReason[];

/** A call that is refused. Its message may be shown to the caller: it holds nothing of the token. */
export class VerifyError extends Error {
  override readonly name = "VerifyError";
  readonly reason: VerifyReason;
  readonly kind: RefusalKind;

  constructor(reason: VerifyReason, options?: ErrorOptions) {
    super(refusals[reason].text, options);
    this.reason = reason;
    this.kind = refusals[reason].kind;
  }
}
