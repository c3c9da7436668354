import { AppError } from "../../domain/errors.ts";

/**
 * Refuses a request with cookies that another site had a hand in. Browsers tell: by Origin, and by
 * Sec-Fetch-Site, which scripts cannot forge.
 *
 * @param origins ours, and those of CORS_ORIGINS
 * @throws AppError permission_denied
 */
export function checkSite(header: Headers, origins: ReadonlySet<string>): void {
  const origin = header.get("origin");
  const isForeign = origin !== null && !origins.has(origin);
  if (isForeign || header.get("sec-fetch-site") === "cross-site") {
    throw new AppError("permission_denied", "Cookies are not taken from the pages of another site.");
  }
}
