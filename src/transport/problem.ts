import { type AppError, reasons } from "../domain/errors.ts";
import type { ProblemDetail } from "../rest/problem.ts";

/** Where the pages of reasons are. */
export interface ProblemAddress {
  /** What REST paths are appended to: the issuer, with the base path; no slash at its end. */
  readonly restUrl: string;
}

/** A failure as a problem (RFC 9457), with the members of OAuth errors (RFC 6749 section 5.2) beside. */
export function problemOf(error: AppError, requestId: string, address: ProblemAddress): ProblemDetail {
  const spec = reasons[error.reason];
  return {
    type: spec.help === null ? "about:blank" : `${address.restUrl}/problems/${error.reason}`,
    title: spec.title,
    status: spec.status,
    detail: error.message,
    reason: error.reason,
    request_id: requestId,
    ...(error.fields.length > 0
      ? { errors: error.fields.map(({ field, detail }) => ({ field, detail })) }
      : {}),
    ...(spec.oauthError === null ? {} : { error: spec.oauthError, error_description: error.message }),
  };
}
