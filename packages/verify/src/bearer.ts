import { VerifyError } from "./verify-error.ts";

/**
 * The token of an Authorization field (RFC 6750 section 2.1). Other schemes are no token.
 *
 * @throws VerifyError `missing_token`, or `malformed` where the scheme stands without one
 */
export function readBearer(authorization: string | undefined): string {
  if (authorization === undefined) throw new VerifyError("missing_token");
  const space = authorization.indexOf(" ");
  const scheme = space < 0 ? authorization : authorization.slice(0, space);
  if (scheme.toLowerCase() !== "bearer") throw new VerifyError("missing_token");
  const token = space < 0 ? "" : authorization.slice(space + 1).replace(/^ +/, "");
  if (token === "") throw new VerifyError("malformed");
  return token;
}
