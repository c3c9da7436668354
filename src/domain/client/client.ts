/** The grants that a client can be registered for (RFC 6749 sections 4.3, 6 and 4.4). */
export const grantTypes = ["password", "refresh_token", "client_credentials"] as const;

/** One of these grants. */
export type GrantType = (typeof grantTypes)[number];

/** Whether a text names a grant. */
export function isGrantType(text: string): text is GrantType {
  return (grantTypes as readonly string[]).includes(text);
}

/** A client (RFC 6749 section 2), as requests need it. */
export interface Client {
  readonly id: string;
  readonly name: string;
  /** Whether it has a secret. */
  readonly confidential: boolean;
  /** Whether it is the operator's own: only then may it see passwords (RFC 9700 section 2.4). */
  readonly firstParty: boolean;
  readonly grants: readonly GrantType[];
  /** The scopes that it may ask for. */
  readonly scopes: readonly string[];
  /** Whom its access tokens are for; empty for the service's default. */
  readonly audiences: readonly string[];
  /** Whether it may introspect tokens (RFC 7662). */
  readonly canIntrospect: boolean;
  /** How long its access tokens live; null for the service's default. */
  readonly accessTokenTtlSeconds: number | null;
  /** How long a refresh token is good for after it was rotated out; null for the service's default. */
  readonly refreshGraceMs: number | null;
  /** Null for the built-in client, which was never registered. */
  readonly createdAt: Date | null;
  /** Tells this registration from an earlier or later one of the same id; null for the built-in client. Opaque. */
  readonly registration: string | null;
}
