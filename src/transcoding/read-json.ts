import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { FieldEntry, MessageTable } from "./message-table.ts";
import { fieldRefused, RestError, unknownRefused } from "./rest-error.ts";

/**
 * Reads a JSON object as a message: names resolved, nulls dropped, values checked. What comes out
 * holds known fields alone, under their JSON names, and is fit for `fromJson`.
 *
 * @param json anything that `parseJsonText` gave
 * @param prefix the path of the message in the request, with its last dot; empty for the request itself
 * @throws RestError 400
 */
export function readJsonMessage(table: MessageTable, json: JsonValue, prefix: string): JsonObject {
  if (json === null || typeof json !== "object" || Array.isArray(json)) {
    throw prefix === ""
      ? new RestError(400, "The body must be a JSON object.")
      : fieldRefused(prefix.slice(0, -1), "wrong_type", "must be a JSON object");
  }
  const tree = createTree();
  for (const name of Object.keys(json)) {
    const entry = table.fields.get(name);
    if (entry !== undefined) {
      requireOneSpelling(entry, json, name, prefix);
      readMember(tree, table, entry, json[name] ?? null, prefix);
    } else if (!table.lenient) {
      throw unknownRefused(prefix, name, "The body has a member that the request does not know.");
    }
  }
  return tree;
}

/**
 * Reads the JSON value of one field, null excepted, with the same checks.
 *
 * @param path the field's path in the request
 * @throws RestError 400
 */
export function readJsonField(entry: FieldEntry, json: JsonValue, path: string): JsonValue {
  switch (entry.shape) {
    case "single":
      return readContent(entry, json, path);
    case "list":
      if (!Array.isArray(json)) {
        throw fieldRefused(path, "wrong_type", "must be a JSON array");
      }
      return json.map((item) => readContent(entry, item, path));
    case "map":
      return readMap(entry, json, path);
  }
}

/** An empty object without a prototype, so that no member name has a meaning of its own. */
export function createTree(): JsonObject {
  return Object.create(null) as JsonObject;
}

/** Sets a field, unless another field of its oneof is there already. */
export function setMember(tree: JsonObject, entry: FieldEntry, value: JsonValue): void {
  for (const rival of entry.rivals) {
    if (rival in tree) {
      throw new RestError(400, `Only one of the fields of ${entry.field.oneof?.name} may be given.`);
    }
  }
  tree[entry.key] = value;
}

function requireOneSpelling(entry: FieldEntry, json: JsonObject, name: string, prefix: string): void {
  const { name: protoName, jsonName } = entry.field;
  if (protoName !== jsonName && Object.hasOwn(json, name === protoName ? jsonName : protoName)) {
    throw fieldRefused(prefix + protoName, "given_twice", "is given twice");
  }
}

function readMember(
  tree: JsonObject,
  table: MessageTable,
  entry: FieldEntry,
  json: JsonValue,
  prefix: string,
): void {
  const absent = json === null ? !entry.takesNull || entry.shape !== "single" : json === "" && table.lenient;
  if (!absent) {
    setMember(tree, entry, readJsonField(entry, json, prefix + entry.field.name));
  }
}

function readContent(entry: FieldEntry, json: JsonValue, path: string): JsonValue {
  if (json === null && entry.takesNull) {
    return null;
  }
  const value = readNonNull(entry, json, path);
  if (value === undefined) {
    throw fieldRefused(path, "wrong_type", "does not hold a valid value");
  }
  return value;
}

function readNonNull(entry: FieldEntry, json: JsonValue, path: string): JsonValue | undefined {
  if (json === null) {
    return undefined;
  }
  switch (entry.content.kind) {
    case "leaf":
      return entry.content.leaf.fromJson(json);
    case "message":
      return readJsonMessage(entry.content.table, json, `${path}.`);
    case "opaque":
      return entry.content.read(json);
  }
}

function readMap(entry: FieldEntry, json: JsonValue, path: string): JsonValue {
  if (json === null || typeof json !== "object" || Array.isArray(json)) {
    throw fieldRefused(path, "wrong_type", "must be a JSON object");
  }
  const map = createTree();
  for (const [key, value] of Object.entries(json)) {
    map[key] = readContent(entry, value, path);
  }
  return map;
}
