import type { SecretKeys } from "../../domain/key/secret-keys.ts";
import { deriveCsrfToken, isCsrfTokenOf } from "../../domain/session/csrf-token.ts";
import type { CookieAuth } from "../interceptors/cookies.ts";
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
  readonly secretKeys: SecretKeys;
}): CookieAuth {
  const { issuer, secretKeys } = options;
  return {
    jar: createCookieJar(issuer.startsWith("https:"), options.maxAges),
    modeHeader: options.modeHeader,
    origins: new Set([new URL(issuer).origin, ...options.origins]),
    deriveCsrfToken: (refreshToken) => deriveCsrfToken(refreshToken, secretKeys),
    isCsrfTokenOf: (csrfToken, refreshToken) => isCsrfTokenOf(csrfToken, refreshToken, secretKeys),
  };
}
