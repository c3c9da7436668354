import type { CookieAuth } from "../cookies.ts";
import { createCookieJar } from "./cookie-jar.ts";

/**
 * @param options `origins`: those of CORS_ORIGINS; `maxAges`: how many seconds a session lives without being
 *   refreshed, and a device is known
 */
export function createCookieAuth(options: {
  readonly issuer: string;
  readonly origins: readonly string[];
  readonly modeHeader: string;
  readonly maxAges: { readonly session: number; readonly device: number };
}): CookieAuth {
  const isHttps = options.issuer.startsWith("https:");
  // Whoever is on the wire could put a script into a page that did not come by https.
  const trusted = options.origins.filter((origin) => !isHttps || origin.startsWith("https:"));
  return {
    jar: createCookieJar(isHttps, options.maxAges),
    modeHeader: options.modeHeader,
    origins: new Set([new URL(options.issuer).origin, ...trusted]),
  };
}
