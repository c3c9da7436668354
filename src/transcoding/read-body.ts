import type { Binding } from "./binding.ts";
import { readContentType, requireIdentityEncoding } from "./content-type.ts";
import { childOf, type Draft, openDraft } from "./draft.ts";
import { parseForm } from "./form.ts";
import { parseJsonText } from "./json-text.ts";
import type { FieldEntry } from "./message-table.ts";
import { readJsonField, readJsonMessage } from "./read-json.ts";
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
 * @returns the request message, without what path and query add, and without raw bytes
 * @throws RestError 400 or 415
 */
export function readBody(binding: Binding, request: RequestBody, isOptional: boolean): Draft {
  const { body, input } = binding;
  if (body.kind === "none") {
    return openDraft(input);
  }
  requireIdentityEncoding(request.contentEncoding);
  if (body.raw) {
    return openDraft(input);
  }
  const format = request.contentType === undefined ? null : readContentType(request.contentType);
  if (request.body.length === 0) {
    if (isOptional) {
      return openDraft(input);
    }
    throw new RestError(400, "The body is required.");
  }
  if (format === null) {
    throw new RestError(415, "The content type is missing.");
  }
  const text = decodeUtf8(request.body);
  if (format === "json" && body.kind === "message") {
    return readJsonMessage(input, parseJsonText(text), "");
  }
  const draft = openDraft(input);
  if (format === "json" && body.kind === "field") {
    readFieldJson(draft, body.entry, text);
  } else if (body.kind === "message") {
    readForm(draft, text, "", (path) => binding.variablePaths.has(path));
  } else {
    readFieldForm(draft, body.entry, text);
  }
  return draft;
}

function readForm(draft: Draft, text: string, prefix: string, taken: (path: string) => boolean): void {
  const parameters = parseForm(text);
  if (parameters === null) {
    throw new RestError(400, "The form is not well-formed.");
  }
  readParameters(draft, parameters, prefix, taken);
}

function readFieldForm(draft: Draft, entry: FieldEntry, text: string): void {
  if (entry.shape !== "single" || entry.content.kind !== "message") {
    throw new RestError(415, "The content type must be application/json.");
  }
  const child = childOf(draft, entry, entry.content.table);
  readForm(child, text, `${entry.field.name}.`, () => false);
}

function readFieldJson(draft: Draft, entry: FieldEntry, text: string): void {
  const json = parseJsonText(text);
  if (json !== null) {
    readJsonField(draft, entry, json, entry.field.name);
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new RestError(400, "The body is not UTF-8.");
  }
}
