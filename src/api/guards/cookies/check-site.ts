import { AppError } from "../../../errors/app-error.ts";

// Of a script that hides where it is (`null`), or of a browser that names a site we do not know, nothing is taken.
const ownSites: ReadonlySet<string> = new Set(["same-origin", "same-site"]);

/**
 * Refuses a request with cookies that a page had a hand in which is neither ours nor listed. Browsers tell, and no
 * script can forge it: by Origin, which every POST and DELETE of a script has, and by Sec-Fetch-Site. A request
 * without Origin is no script's of another origin: it comes from a program, or from an older browser and a
 * page of ours. That the caller could name the mode's header field at all is the other half of the proof; see
 * docs/browsers.md.
 *
 * @param origins ours, and those of CORS_ORIGINS
 * @throws AppError permission_denied
 */
export function checkSite(header: Headers, origins: ReadonlySet<string>): void {
  const origin = header.get("origin");
  const site = header.get("sec-fetch-site");
  const isOurs =
    origin === null
      ? site === null || site === "same-origin"
      : origins.has(origin) && (site === null || ownSites.has(site));
  if (!isOurs) {
    throw new AppError(
      "permission_denied",
      "Cookies are taken only from pages of the service's own site whose origin is listed.",
    );
  }
}
