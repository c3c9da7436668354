import { create, type DescMessage, type Message } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { AppError } from "../errors/app-error.ts";
import { type Reason, reasons, type StatusCode } from "../errors/reasons.ts";
import { parseCredentials } from "../lib/http-text.ts";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../gen/google/rpc/error_details_pb.ts";

const domain = "countersign";

const codes: Readonly<Record<StatusCode, Code>> = {
  CANCELLED: Code.Canceled,
  INVALID_ARGUMENT: Code.InvalidArgument,
  DEADLINE_EXCEEDED: Code.DeadlineExceeded,
  NOT_FOUND: Code.NotFound,
  ALREADY_EXISTS: Code.AlreadyExists,
  PERMISSION_DENIED: Code.PermissionDenied,
  RESOURCE_EXHAUSTED: Code.ResourceExhausted,
  ABORTED: Code.Aborted,
  UNIMPLEMENTED: Code.Unimplemented,
  INTERNAL: Code.Internal,
  UNAVAILABLE: Code.Unavailable,
  UNAUTHENTICATED: Code.Unauthenticated,
};

/** What the Connect library's own errors mean: it reads streams, and it ends calls that are over. */
const libraryReasons: ReadonlyMap<Code, readonly [Reason, string]> = new Map([
  [Code.InvalidArgument, ["malformed_request", "The request message cannot be read."]],
  [Code.ResourceExhausted, ["payload_too_large", "The request message is too large."]],
  [Code.Unimplemented, ["malformed_request", "The request is not of the form that the RPC takes."]],
  [Code.DeadlineExceeded, ["deadline_exceeded", "The deadline has passed."]],
  [Code.Canceled, ["cancelled", "The caller has gone."]],
  [Code.Aborted, ["cancelled", "The caller has gone."]],
]);

/** Any failure as one from the registry. An unknown error is a bug of the service, and shows no detail. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof ConnectError) {
    if (error.cause instanceof AppError) return error.cause;
    const known = libraryReasons.get(error.code);
    if (known !== undefined) return new AppError(known[0], known[1], { cause: error });
  }
  return new AppError("internal", "Something went wrong on our side.", { cause: error });
}

/** What the caller sent, as far as an error's headers depend on it. */
export interface FailedRequest {
  readonly authorization: string | undefined;
}

/**
 * The header fields of a failure, over every protocol: Retry-After (RFC 9110 section 10.2.3), Allow
 * (section 10.2.1), Accept-Encoding (section 12.5.3), and WWW-Authenticate with every 401 (section 15.5.2). Basic is named only to a
 * caller who sent Basic, since browsers open a dialog on it.
 */
export function failureHeaders(error: AppError, request: FailedRequest): Record<string, string> {
  const headers: Record<string, string> = {};
  const retryAfterMs = error.retryAfterMs;
  if (retryAfterMs !== undefined) {
    headers["retry-after"] = String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
  }
  if (error.allow.length > 0) headers["allow"] = error.allow.join(", ");
  if (error.acceptedCodings.length > 0) headers["accept-encoding"] = error.acceptedCodings.join(", ");
  const spec = reasons[error.reason];
  if (spec.code === "UNAUTHENTICATED") {
    const sentBasic = parseCredentials(request.authorization)?.scheme === "basic";
    headers["www-authenticate"] = sentBasic
      ? 'Basic realm="countersign", charset="UTF-8"'
      : bearerChallenge(error.reason);
  } else if (error.reason === "insufficient_scope") {
    headers["www-authenticate"] = bearerChallenge(error.reason);
  }
  return headers;
}

/** RFC 6750 section 3: no error code for a caller who did not try to authenticate. */
function bearerChallenge(reason: Reason): string {
  const named = reason === "invalid_token" || reason === "insufficient_scope";
  return `Bearer realm="countersign"${named ? `, error="${reason}"` : ""}`;
}

/** A failure as gRPC, gRPC-Web and Connect show it. */
export interface RpcFailure {
  readonly reason: Reason;
  readonly code: Code;
  /** The public sentence. */
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
  /** For programs: messages of google.rpc. */
  readonly details: readonly { readonly desc: DescMessage; readonly value: Message }[];
}

/**
 * A failure for gRPC, gRPC-Web and Connect, with its details and header fields.
 *
 * @param code overrides the registry's if a protocol has its own for this case
 */
export function toRpcFailure(error: AppError, request: FailedRequest, code?: Code): RpcFailure {
  const { reason, message, fields, retryAfterMs } = error;
  // A coding that a server does not know is UNIMPLEMENTED, both to gRPC and to Connect.
  const known = error.acceptedCodings.length > 0 ? Code.Unimplemented : codes[reasons[reason].code];
  const details: { desc: DescMessage; value: Message }[] = [
    { desc: ErrorInfoSchema, value: create(ErrorInfoSchema, { reason, domain }) },
  ];
  if (fields.length > 0) {
    const fieldViolations = fields.map(({ field, code: reasonOf, detail: description }) => {
      return { field, reason: reasonOf, description };
    });
    details.push({ desc: BadRequestSchema, value: create(BadRequestSchema, { fieldViolations }) });
  }
  if (retryAfterMs !== undefined) {
    const value = create(RetryInfoSchema, { retryDelay: durationFromMs(retryAfterMs) });
    details.push({ desc: RetryInfoSchema, value });
  }
  return { reason, code: code ?? known, message, headers: failureHeaders(error, request), details };
}

/** A failure for the Connect library, which frames streams. */
export function toConnectError(error: AppError, request: FailedRequest): ConnectError {
  const { code, message, headers, details } = toRpcFailure(error, request);
  return new ConnectError(message, code, headers, [...details], error);
}
