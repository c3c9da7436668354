import type { AppError } from "../../errors/app-error.ts";
import { reasons, type ReasonSpec } from "../../errors/reasons.ts";
import { STATUS_CODES } from "../../lib/node-http.ts";
import type { ProblemDetail } from "../../transcoding/problem.ts";

/** Where the pages of reasons are. */
export interface ProblemAddress {
  /** What REST paths are appended to: the issuer, with the base path; no slash at its end. */
  readonly restUrl: string;
}

/**
 * A failure as a problem (RFC 9457), with the members of OAuth errors (RFC 6749 section 5.2) beside.
 *
 * @param isOauthEndpoint whether the statuses are those of RFC 6749 section 5.2
 */
export function problemOf(
  error: AppError,
  requestId: string,
  address: ProblemAddress,
  isOauthEndpoint = false,
): ProblemDetail {
  const spec: ReasonSpec = reasons[error.reason];
  const status = isOauthEndpoint ? spec.oauthStatus : spec.status;
  // RFC 9457 section 4.2.1: with about:blank the title is the status's own phrase.
  const isBlank = spec.isHttps === true && status !== spec.status;
  return {
    type: spec.isHttps === true ? "about:blank" : `${address.restUrl}/problems/${error.reason}`,
    title: isBlank ? (STATUS_CODES[status] ?? spec.title) : spec.title,
    status,
    detail: error.message,
    reason: error.reason,
    request_id: requestId,
    ...(error.fields.length > 0
      ? { errors: error.fields.map(({ field, code, detail }) => ({ field, code, detail })) }
      : {}),
    ...(spec.oauthError === null ? {} : { error: spec.oauthError, error_description: error.message }),
  };
}
