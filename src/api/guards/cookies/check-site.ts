import { AppError } from "../../../errors/app-error.ts";
import type { Call } from "../../call.ts";

// Requests of a script that hides its origin (`null`), or with an unknown value of Sec-Fetch-Site, are refused.
const ownSites: ReadonlySet<string> = new Set(["same-origin", "same-site"]);

/**
 * Refuses a request with cookies if a page caused it that is neither the service's own nor listed. Browsers show this in
 * two header fields that no script can forge: Origin, which every POST and DELETE of a script has, and Sec-Fetch-Site. A
 * request without Origin does not come from a script of another origin: it comes from a program, or from a page of the
 * service in an older browser. The other half of the proof is the mode's header field, which other pages cannot send;
 * see docs/browsers.md.
 *
 * @param origins the service's own, and those of CORS_ORIGINS
 * @throws AppError permission_denied
 */
export function checkSite(call: Pick<Call, "header">, origins: ReadonlySet<string>): void {
  const origin = call.header("origin");
  const site = call.header("sec-fetch-site");
  const isOurs =
    origin === undefined
      ? site === undefined || site === "same-origin"
      : origins.has(origin) && (site === undefined || ownSites.has(site));
  if (!isOurs) {
    throw new AppError(
      "permission_denied",
      "Cookies are taken only from pages of the service's own site whose origin is listed.",
    );
  }
}
