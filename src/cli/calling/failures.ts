import { Code, ConnectError } from "@connectrpc/connect";
import { AppError } from "../../errors/app-error.ts";
import { isFieldCode } from "../../errors/field-codes.ts";
import { isReason } from "../../errors/reasons.ts";
import { BadRequestSchema, ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";

/** What a service has refused, as the domain would have: with the words of its ProblemDetail. */
export function readFailure(error: unknown): unknown {
  if (!(error instanceof ConnectError)) return error;
  // Errors of the HTTP client come wrapped.
  if (error.cause !== undefined && Error.isError(error.cause)) return error.cause;
  const [info] = error.findDetails(ErrorInfoSchema);
  const fields = error.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) =>
    fieldViolations.map(({ field, reason, description }) => {
      return { field, code: isFieldCode(reason) ? reason : ("invalid" as const), detail: description };
    }),
  );
  if (info?.domain === "countersign") {
    // A newer service may have reasons that are not known here.
    return isReason(info.reason)
      ? new AppError(info.reason, error.rawMessage, { fields })
      : new Error(error.rawMessage);
  }
  if (error.code === Code.DeadlineExceeded) return new Error("The service did not answer in time.");
  if (error.code === Code.ResourceExhausted) {
    return new Error("The answer of the service is larger than any should be.");
  }
  return new Error(`The service's answer cannot be used: ${error.rawMessage}`);
}
