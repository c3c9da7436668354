import type { DescField, DescMessage, Message, Registry } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { negotiateJson } from "./accept.ts";
import type { Binding, RestMethod } from "./binding.ts";
import { isHttpBody, readHttpBody } from "./http-body.ts";
import { createJsonWriters } from "./write-json.ts";
import type { MessageWriter } from "./write-json.ts";

/** The answer to a success. Without content (204) both body and type are null. */
export interface RestAnswer {
  readonly status: number;
  /** `application/json` or another type of the answer, or what a google.api.HttpBody names. */
  readonly contentType: string | null;
  readonly body: Uint8Array | null;
}

/** How the answers of a binding are written, worked out once. */
export type Answerer =
  /** One message, as an answer of its own. */
  | {
      readonly kind: "unary";
      readonly accepts: (accept: string | undefined) => boolean;
      readonly answer: Answer;
    }
  /** Many messages, each as JSON of one line. */
  | { readonly kind: "json_stream"; readonly status: number; readonly present: MessageWriter }
  /** Many messages, each some bytes of one body. */
  | { readonly kind: "raw_stream"; readonly status: number; readonly read: ReadRaw };

/** @param nulls names of unset fields that this one answer writes as null, at its end */
export type Answer = (message: Message, accept: string | undefined, nulls: readonly string[]) => RestAnswer;

/** The media type and the bytes that a message stands for. */
export type ReadRaw = (message: Message) => { readonly contentType: string; readonly body: Uint8Array };

/** A service's own options for its answers. */
export interface AnswerOptions {
  readonly isNullable: (field: DescField) => boolean;
  readonly omitsZero: (field: DescField) => boolean;
  readonly successStatus: (method: RestMethod) => number | undefined;
  readonly mediaTypes: (method: RestMethod) => readonly string[];
  readonly registry: Registry;
}

// RFC 9110 sections 15.3.5 and 15.3.6: neither has content.
const emptyStatuses: ReadonlySet<number> = new Set([204, 205]);

/** @throws Error that names the RPC when its answers cannot be written */
export function createAnswerer(binding: Binding, options: AnswerOptions): Answerer {
  const { method, owner, responseField } = binding;
  const isStream = method.methodKind === "server_streaming";
  const usual = method.output.fields.length === 0 && !isStream ? 204 : 200;
  const status = options.successStatus(method) ?? usual;
  if (!Number.isInteger(status) || status < 200 || status > 299) {
    throw new Error(`${owner} has the success status ${status}, which is not between 200 and 299`);
  }
  if (isStream && emptyStatuses.has(status)) {
    throw new Error(`${owner} answers with a stream, for which the status ${status} has no room`);
  }
  const read = createReadRaw(method.output, responseField);
  if (read !== null) {
    return isStream ? { kind: "raw_stream", status, read } : createRawAnswerer(status, read);
  }
  const writers = createJsonWriters({ names: "proto", writesZeros: true, ...options });
  const present = responseField === null ? writers.message(method.output) : writers.field(responseField);
  if (isStream) {
    requireTellable(owner, responseField === null ? method.output : responseField.message);
    return { kind: "json_stream", status, present };
  }
  return createJsonAnswerer(status, present, options.mediaTypes(method));
}

function createJsonAnswerer(status: number, present: MessageWriter, mediaTypes: readonly string[]): Answerer {
  const accepts = (accept: string | undefined) => negotiateJson(accept, mediaTypes) !== null;
  if (emptyStatuses.has(status)) {
    return { kind: "unary", accepts, answer: () => ({ status, contentType: null, body: null }) };
  }
  return {
    kind: "unary",
    accepts,
    answer(message, accept, nulls) {
      const contentType = negotiateJson(accept, mediaTypes) ?? "application/json";
      const text = present(message);
      return { status, contentType, body: Buffer.from(nulls.length === 0 ? text : addNulls(text, nulls)) };
    },
  };
}

function addNulls(text: string, names: readonly string[]): string {
  const members = names.map((name) => `${JSON.stringify(name)}:null`).join(",");
  return text === "{}" ? `{${members}}` : `${text.slice(0, -1)},${members}}`;
}

function createRawAnswerer(status: number, read: ReadRaw): Answerer {
  const accepts = () => true;
  if (emptyStatuses.has(status)) {
    return { kind: "unary", accepts, answer: () => ({ status, contentType: null, body: null }) };
  }
  return { kind: "unary", accepts, answer: (message) => ({ status, ...read(message) }) };
}

/** Null if the answer is JSON. */
function createReadRaw(output: DescMessage, responseField: DescField | null): ReadRaw | null {
  if (responseField === null) {
    return isHttpBody(output) ? readHttpBody : null;
  }
  if (responseField.fieldKind !== "message" || !isHttpBody(responseField.message)) {
    return null;
  }
  return (message) => readHttpBody(reflect(output, message).get(responseField).message);
}

/** A stream reports its failure in a member `error`, which no message may have. */
function requireTellable(owner: string, shown: DescMessage | undefined): void {
  const clash = shown?.fields.find((field) => field.name === "error" || field.jsonName === "error");
  if (clash !== undefined) {
    throw new Error(
      `${owner} streams the field ${clash.name}, which could be taken for the stream's failure`,
    );
  }
}
