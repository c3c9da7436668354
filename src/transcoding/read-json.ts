import { ScalarType } from "@bufbuild/protobuf";
import type { DescField, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { type Draft, openDraft, setChild, setMember } from "./draft.ts";
import { scalarLeaf } from "./leaf.ts";
import type { FieldEntry, MessageTable } from "./message-table.ts";
import { fieldRefused, RestError, unknownRefused } from "./rest-error.ts";

/**
 * Reads a JSON object as a message: names resolved, nulls dropped, values checked.
 *
 * @param json anything that `parseJsonText` gave
 * @param prefix the path of the message in the request, with its last dot; empty for the request itself
 * @throws RestError 400
 */
export function readJsonMessage(table: MessageTable, json: JsonValue, prefix: string): Draft {
  if (json === null || typeof json !== "object" || Array.isArray(json)) {
    throw prefix === ""
      ? new RestError(400, "The body must be a JSON object.")
      : fieldRefused(prefix.slice(0, -1), "wrong_type", "must be a JSON object");
  }
  const draft = openDraft(table);
  for (const name of Object.keys(json)) {
    const entry = table.fields.get(name);
    if (entry !== undefined) {
      requireOneSpelling(entry, json, name, prefix);
      const value = json[name] ?? null;
      if (!isAbsent(entry, value, table.lenient)) {
        readJsonField(draft, entry, value, prefix + entry.field.name);
      }
    } else if (!table.lenient) {
      throw unknownRefused(prefix, name, "The body has a member that the request does not know.");
    }
  }
  return draft;
}

/**
 * Reads the JSON value of one field into its message, with the same checks.
 *
 * @param path the field's path in the request
 * @throws RestError 400
 */
export function readJsonField(draft: Draft, entry: FieldEntry, json: JsonValue, path: string): void {
  const { content, field, shape } = entry;
  if (shape === "single" && content.kind === "message") {
    setChild(draft, entry, readJsonMessage(content.table, json, `${path}.`));
    return;
  }
  if (shape === "single") {
    setMember(draft, entry, readContent(entry, json, path));
    return;
  }
  if (shape === "list") {
    if (!Array.isArray(json)) {
      throw fieldRefused(path, "wrong_type", "must be a JSON array");
    }
    setMember(
      draft,
      entry,
      json.map((item) => readContent(entry, item, path)),
    );
    return;
  }
  setMember(draft, entry, readMap(entry, field, json, path));
}

/** Whether a value counts as left out. */
function isAbsent(entry: FieldEntry, json: JsonValue, lenient: boolean): boolean {
  return json === null ? !entry.takesNull || entry.shape !== "single" : json === "" && lenient;
}

function requireOneSpelling(entry: FieldEntry, json: JsonObject, name: string, prefix: string): void {
  const { name: protoName, jsonName } = entry.field;
  if (protoName !== jsonName && Object.hasOwn(json, name === protoName ? jsonName : protoName)) {
    throw fieldRefused(prefix + protoName, "given_twice", "is given twice");
  }
}

function readContent({ content, takesNull }: FieldEntry, json: JsonValue, path: string): unknown {
  const value = json === null && !takesNull ? undefined : readValue(content, json, path);
  if (value === undefined) {
    throw fieldRefused(path, "wrong_type", "does not hold a valid value");
  }
  return value;
}

function readValue(content: FieldEntry["content"], json: JsonValue, path: string): unknown {
  switch (content.kind) {
    case "leaf":
      return content.leaf.fromJson(json);
    case "message":
      return readJsonMessage(content.table, json, `${path}.`).message;
    case "opaque":
      return content.read(json);
  }
}

function readMap(entry: FieldEntry, field: DescField, json: JsonValue, path: string): object {
  if (json === null || typeof json !== "object" || Array.isArray(json)) {
    throw fieldRefused(path, "wrong_type", "must be a JSON object");
  }
  const map = {};
  for (const [text, item] of Object.entries(json)) {
    const key = readKey(field, text);
    const value = readContent(entry, item, path);
    if (key === undefined || Object.hasOwn(map, key)) {
      throw fieldRefused(path, "wrong_type", "does not hold a valid value");
    }
    // Not by assignment, in which a key can have a meaning of its own.
    Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return map;
}

/** A key as messages hold it; undefined when it is not of its type. */
function readKey(field: DescField, text: string): string | undefined {
  if (field.fieldKind !== "map" || field.mapKey === ScalarType.STRING) {
    return text;
  }
  if (field.mapKey === ScalarType.BOOL) {
    return text === "true" || text === "false" ? text : undefined;
  }
  const number = scalarLeaf(field.mapKey).fromJson(text);
  return typeof number === "number" || typeof number === "bigint" ? String(number) : undefined;
}
