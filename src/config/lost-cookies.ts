import { isLocalUrl } from "../lib/is-local-url.ts";
import type { Config } from "./config.ts";

/** Whether browsers drop the service's cookies: these are Secure, and over plain http browsers keep such cookies only from localhost. */
export function losesCookies({
  authCookies,
  corsOrigins,
  issuer,
}: Pick<Config, "authCookies" | "corsOrigins" | "issuer">): boolean {
  return authCookies && corsOrigins !== "*" && issuer.startsWith("http:") && !isLocalUrl(issuer);
}
