/**
 * An address of the issuer. Plain HTTP is for this machine alone, unless it is allowed by name.
 *
 * @throws Error for anything else
 */
export function requireSafeUrl(text: unknown, what: string, allowPlainHttp: boolean): URL {
  const url = typeof text === "string" && URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new Error(`The ${what} must be an https address.`);
  }
  if (url.username !== "" || url.password !== "") throw new Error(`The ${what} must hold no password.`);
  if (url.protocol === "http:" && !allowPlainHttp && !isLoopback(url.hostname)) {
    throw new Error(`The ${what} must be an https address; allowPlainHttp takes an http one.`);
  }
  return url;
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** Where an issuer tells of itself: the well-known part stands before its path (RFC 8414 section 3). */
export function metadataUrlOf(issuer: URL): string {
  const path = issuer.pathname === "/" ? "" : issuer.pathname.replace(/\/$/, "");
  return `${issuer.origin}/.well-known/oauth-authorization-server${path}`;
}
