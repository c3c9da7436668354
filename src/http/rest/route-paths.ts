const metadataPath = "/.well-known/oauth-authorization-server";

/**
 * The path that our routes have for a request's. They have the base path in front everywhere, while RFC 8414
 * section 3.1 puts the issuer's path behind the well-known one; the issuer need not name the base path.
 */
export function createRoutePaths(basePath: string, issuer: string): (path: string) => string {
  const issuerPath = new URL(issuer).pathname.replace(/\/$/, "");
  const asked = new Set(
    [basePath, issuerPath].flatMap((path) => [metadataPath + path, `${metadataPath}${path}/`]),
  );
  return (path) => (asked.has(path) ? basePath + metadataPath : path);
}
