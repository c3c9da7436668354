import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { Binding } from "./binding.ts";
import { readContentType, requireIdentityEncoding } from "./content-type.ts";
import { parseForm } from "./form.ts";
import { parseJsonText } from "./json-text.ts";
import type { FieldEntry, MessageTable } from "./message-table.ts";
import { createTree, readJsonField, readJsonMessage, setMember } from "./read-json.ts";
import { readParameters } from "./read-parameters.ts";
import { RestError } from "./rest-error.ts";

/** The body of a request, and the headers that say how it is written. */
export interface RequestBody {
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly body: Uint8Array;
}

// A byte order mark is skipped, as RFC 8259 section 8.1 allows; broken UTF-8 throws a TypeError.
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads a request's body as its binding says.
 *
 * @param isOptional whether the whole body may be left out
 * @returns the tree of the request message, without what path and query add, and without raw bytes
 * @throws RestError 400 or 415
 */
export function readBody(binding: Binding, request: RequestBody, isOptional: boolean): JsonObject {
  const { body } = binding;
  if (body.kind === "none") {
    return createTree();
  }
  requireIdentityEncoding(request.contentEncoding);
  if (body.raw) {
    return body.kind === "message" ? createTree() : wrapField(body.entry, createTree());
  }
  const format = request.contentType === undefined ? null : readContentType(request.contentType);
  if (request.body.length === 0) {
    if (isOptional) {
      return createTree();
    }
    throw new RestError(400, "The body is required.");
  }
  if (format === null) {
    throw new RestError(415, "The content type is missing.");
  }
  const text = decodeUtf8(request.body);
  if (format === "json") {
    const json = parseJsonText(text);
    return body.kind === "message"
      ? readJsonMessage(binding.input, json, "")
      : wrapField(
          body.entry,
          json === null ? undefined : readJsonField(body.entry, json, body.entry.field.name),
        );
  }
  return body.kind === "message"
    ? readForm(binding.input, text, "", (path) => binding.variablePaths.has(path))
    : wrapField(body.entry, readFieldForm(body.entry, text));
}

function readForm(
  table: MessageTable,
  text: string,
  prefix: string,
  taken: (path: string) => boolean,
): JsonObject {
  const parameters = parseForm(text);
  if (parameters === null) {
    throw new RestError(400, "The form is not well-formed.");
  }
  const tree = createTree();
  readParameters(tree, table, parameters, prefix, taken);
  return tree;
}

function readFieldForm(entry: FieldEntry, text: string): JsonObject {
  if (entry.shape !== "single" || entry.content.kind !== "message") {
    throw new RestError(415, "The content type must be application/json.");
  }
  return readForm(entry.content.table, text, `${entry.field.name}.`, () => false);
}

function wrapField(entry: FieldEntry, value: JsonValue | undefined): JsonObject {
  const tree = createTree();
  if (value !== undefined) {
    setMember(tree, entry, value);
  }
  return tree;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new RestError(400, "The body is not UTF-8.");
  }
}
