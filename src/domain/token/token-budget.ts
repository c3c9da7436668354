/**
 * What one part of an access token may have, in bytes of JSON. With a user's id, a client's id, an issuer and an AUDIENCE of
 * the greatest length, and with the longest signature, all parts together fit into a token that can be shown.
 */
export const tokenBudget = {
  /** The audiences of a client. */
  audiences: 1_024,
  /** Scopes, as one text. */
  scopes: 1_024,
  /** A user's roles and claims together. */
  rolesAndClaims: 2_400,
} as const;

/** The most characters of an access token: what introspection takes, and half of what a request's header may have. */
export const tokenCharsMax = 8_000;

/** How many bytes something takes as JSON. */
export function bytesOfJson(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
