import { isLocalUrl } from "../lib/is-local-url.ts";
import type { Config } from "./config.ts";

/** Whether browsers drop the cookies that they are given: those are Secure, and plain http is that on localhost alone. */
export function losesCookies({
  authCookies,
  corsOrigins,
  issuer,
}: Pick<Config, "authCookies" | "corsOrigins" | "issuer">): boolean {
  return authCookies && corsOrigins !== "*" && issuer.startsWith("http:") && !isLocalUrl(issuer);
}
