import { type DescMessage, fromBinary, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { type Any, AnySchema, anyUnpack, durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import type { FieldError } from "../../src/errors/app-error.ts";
import { fieldCodes } from "../../src/errors/field-codes.ts";
import { type Reason, reasons } from "../../src/errors/reasons.ts";
import {
  type BadRequest,
  BadRequestSchema,
  type ErrorInfo,
  ErrorInfoSchema,
  type RetryInfo,
  RetryInfoSchema,
} from "../../src/gen/google/rpc/error_details_pb.ts";

/** A field that is wrong. Its code is one of the list, whatever protocol told it. */
export type WrongField = Pick<FieldError, "field" | "detail">;

function wrongField(field: string, code: string, detail: string): WrongField {
  if (!Object.hasOwn(fieldCodes, code)) throw new Error(`The field ${field} has no code of ours: ${code}`);
  return { field, detail };
}

/** A failure, whatever protocol it came by. */
export interface Failure {
  readonly reason: string;
  /** The gRPC code's name; over REST, the one that the registry gives the reason. */
  readonly code: string;
  readonly detail: string;
  readonly fields: readonly WrongField[];
  readonly retryAfterMs: number | null;
}

/** How a call ended. One of the first two is null. */
export interface Outcome {
  /** Under proto names, without unset members. */
  readonly message: JsonObject | null;
  readonly failure: Failure | null;
  /** The HTTP status, where the client shows it. */
  readonly status: number | null;
}

/** A success. */
export function success(message: JsonValue, status: number | null = null): Outcome {
  return { message: withoutNulls(message) as JsonObject, failure: null, status };
}

/** Reads a REST answer. */
export function fromRest(status: number, retryAfter: string | null, body: JsonObject): Outcome {
  if (status < 300) return success(body, status);
  const { reason = "", detail = "" } = body as { readonly reason?: string; readonly detail?: string };
  const failure = {
    reason,
    code: Object.hasOwn(reasons, reason) ? reasons[reason as Reason].code : "none",
    detail,
    fields: ((body["errors"] ?? []) as unknown as readonly FieldError[]).map((each) =>
      wrongField(each.field, each.code, each.detail),
    ),
    retryAfterMs: retryAfter === null ? null : Number(retryAfter) * 1000,
  };
  return { message: null, failure, status };
}

/** Reads what a Connect client throws. Anything that is not an answer is thrown again. */
export function fromConnectError(error: unknown): Outcome {
  if (!(error instanceof ConnectError)) throw error;
  const find = <Schema extends DescMessage>(schema: Schema) => error.findDetails(schema)[0];
  return failed(codeName(Code[error.code] ?? ""), error.rawMessage, {
    info: find(ErrorInfoSchema),
    badRequest: find(BadRequestSchema),
    retry: find(RetryInfoSchema),
  });
}

/**
 * Reads a gRPC status.
 *
 * @param details `grpc-status-details-bin`: a google.rpc.Status
 */
export function fromGrpcStatus(code: string, message: string, details: Uint8Array): Outcome {
  const all = readDetails(details);
  const find = <Schema extends DescMessage>(schema: Schema) =>
    all.map((detail) => anyUnpack(detail, schema)).find((detail) => detail !== undefined);
  return failed(code, message, {
    info: find(ErrorInfoSchema),
    badRequest: find(BadRequestSchema),
    retry: find(RetryInfoSchema),
  });
}

interface Details {
  readonly info: ErrorInfo | undefined;
  readonly badRequest: BadRequest | undefined;
  readonly retry: RetryInfo | undefined;
}

function failed(code: string, detail: string, { info, badRequest, retry }: Details): Outcome {
  if (info?.domain !== "countersign") {
    throw new Error(`The failure has no ErrorInfo of ours: ${code} ${detail}`);
  }
  const fields = (badRequest?.fieldViolations ?? []).map(({ field, reason, description }) =>
    wrongField(field, reason, description),
  );
  const retryAfterMs = retry?.retryDelay === undefined ? null : durationMs(retry.retryDelay);
  return {
    message: null,
    failure: { reason: info.reason, code, detail, fields, retryAfterMs },
    status: null,
  };
}

/** "InvalidArgument" as "INVALID_ARGUMENT". */
function codeName(name: string): string {
  const upper = name.replace(/(?<=.)(?=[A-Z])/g, "_").toUpperCase();
  return upper === "CANCELED" ? "CANCELLED" : upper;
}

/** The third field of google.rpc.Status. */
function readDetails(bytes: Uint8Array): Any[] {
  const reader = new BinaryReader(bytes);
  const details: Any[] = [];
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === 3) details.push(fromBinary(AnySchema, reader.bytes()));
    else reader.skip(wireType);
  }
  return details;
}

function withoutNulls(value: JsonValue): JsonValue {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
}
