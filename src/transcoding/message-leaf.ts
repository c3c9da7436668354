import { create, fromJson, ScalarType, toJson } from "@bufbuild/protobuf";
import type { DescField, DescMessage, JsonValue, Message, Registry } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { sameLeaf, scalarLeaf } from "./leaf.ts";
import type { Leaf, ReadJson } from "./leaf.ts";
import { durationJson, fieldMaskJson, timestampJson } from "./well-known.ts";

/**
 * The leaf of a field whose message ProtoJSON writes as a single scalar: the wrappers, Timestamp, Duration and FieldMask.
 * Undefined for every other message.
 */
export function messageLeaf(field: DescField, desc: DescMessage): Leaf | undefined {
  if (isWrapperDesc(desc)) {
    const leaf = scalarLeaf(desc.fields[0].scalar);
    // Neither repeated nor in a oneof, a wrapper is held as its scalar.
    return field.fieldKind === "message" && field.oneof === undefined ? leaf : wrapLeaf(leaf, desc);
  }
  const form = forms.get(desc.typeName);
  if (form === undefined) {
    return undefined;
  }
  const read = createFieldReader(field, desc, undefined);
  return sameLeaf((json) => {
    const text = form(json);
    return text === undefined ? undefined : read(text);
  });
}

function wrapLeaf({ fromText, fromJson: readJson }: Leaf, desc: DescMessage): Leaf {
  const wrap = (value: unknown): Message | undefined =>
    value === undefined ? undefined : Object.assign(create(desc), { value });
  return { fromText: (text) => wrap(fromText(text)), fromJson: (json) => wrap(readJson(json)) };
}

const forms: ReadonlyMap<string, (json: JsonValue) => string | undefined> = new Map([
  ["google.protobuf.Timestamp", timestampJson],
  ["google.protobuf.Duration", durationJson],
  ["google.protobuf.FieldMask", fieldMaskJson],
]);

/**
 * Reads one value of a field as its message holds it, which is not always the field's own message: a Struct is held as
 * JSON, for one.
 *
 * @param registry the messages that an Any may hold; without one none
 */
export function createFieldReader(
  field: DescField,
  desc: DescMessage,
  registry: Registry | undefined,
): ReadJson {
  const known = registry === undefined ? {} : { registry };
  const options = { recursionLimit: 1000, ...known };
  return (json) => {
    try {
      // Nothing but the caller's value goes in, so whatever this throws is about that value. Writing
      // finds what reading lets pass and no answer could show: 1e999 in a Struct, for one.
      toJson(desc, fromJson(desc, json, options), known);
      const holder = fromJson(field.parent, { [field.jsonName]: contain(field, json) }, options);
      return release(field, holder);
    } catch {
      return undefined;
    }
  };
}

/** The JSON of a field with one value. */
function contain(field: DescField, json: JsonValue): JsonValue {
  switch (field.fieldKind) {
    case "list":
      return [json];
    case "map":
      return { [field.mapKey === ScalarType.BOOL ? "true" : "0"]: json };
    default:
      return json;
  }
}

/** The only value of a field. */
function release(
  { fieldKind, localName, oneof }: DescField,
  message: Readonly<Record<string, unknown>>,
): unknown {
  if (oneof !== undefined) {
    return (message[oneof.localName] as { readonly value?: unknown }).value;
  }
  const value = message[localName];
  return fieldKind === "list" || fieldKind === "map" ? Object.values(value as object)[0] : value;
}
