/** What a genuine, unexpired access token of ours says. Times are seconds since the epoch. */
export interface AccessTokenClaims {
  readonly subject: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Whom it is for; at least one. */
  readonly audiences: readonly string[];
  readonly id: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** Null where the token was issued to a client alone. */
  readonly sessionId: string | null;
  /** Which registration of the client's id a token of the client alone was issued to; null where it does not say. */
  readonly clientRegistration: string | null;
}
