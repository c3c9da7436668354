/** A client of RFC 6749 section 2, as far as a login needs it. */
export interface Client {
  readonly id: string;
  /** Whether it is the operator's own: only then may it see passwords (RFC 9700 section 2.4). */
  readonly firstParty: boolean;
  /** The scopes that it may ask for. */
  readonly scopes: readonly string[];
  /** The `aud` of its users' access tokens. */
  readonly audience: string;
}
