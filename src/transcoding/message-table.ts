import type { DescField, DescMessage, Registry } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { enumLeaf, scalarLeaf } from "./leaf.ts";
import type { Leaf, ReadJson } from "./leaf.ts";
import { createFieldReader, messageLeaf } from "./message-leaf.ts";

/**
 * What a field's value is: a leaf, a message with fields of its own, or opaque JSON whose members
 * are not fields (Struct, Value, ListValue, Any).
 */
export type FieldContent =
  | { readonly kind: "leaf"; readonly leaf: Leaf }
  | { readonly kind: "message"; readonly table: MessageTable }
  | { readonly kind: "opaque"; readonly read: ReadJson };

/** What the reader must know of a field, worked out once. */
export interface FieldEntry {
  readonly field: DescField;
  /** Its name in ProtoJSON, by which it is known among the message's fields. */
  readonly key: string;
  readonly shape: "single" | "list" | "map";
  readonly content: FieldContent;
  /** Whether null is a value of its own (Value, NullValue) and not absence. */
  readonly takesNull: boolean;
  /** The names of the fields that cannot be given beside this one (oneof). */
  readonly rivals: readonly string[];
}

/** A message's fields by both their names. */
export interface MessageTable {
  readonly desc: DescMessage;
  /** Whether unknown members are ignored, and empty values count as absent. */
  readonly lenient: boolean;
  /** By proto name and JSON name. */
  readonly fields: ReadonlyMap<string, FieldEntry>;
}

/** Gives each message its table, the same one every time; recursive messages are fine. */
export type TableOf = (desc: DescMessage) => MessageTable;

/**
 * @param isLenient whether a message ignores unknown members and takes empty values for absent
 * @param registry the messages that an Any may hold
 */
export function createTables(isLenient: (desc: DescMessage) => boolean, registry: Registry): TableOf {
  const tables = new Map<DescMessage, MessageTable>();
  const tableOf = (desc: DescMessage): MessageTable => {
    const known = tables.get(desc);
    if (known !== undefined) {
      return known;
    }
    const fields = new Map<string, FieldEntry>();
    const table = { desc, lenient: isLenient(desc), fields };
    // Registered before it is filled, so that a message that holds itself finds its own table.
    tables.set(desc, table);
    for (const field of desc.fields) {
      const entry = createEntry(field, tableOf, registry);
      fields.set(field.jsonName, entry);
    }
    for (const field of desc.fields) {
      // Proto names last: where one equals another field's JSON name, it is the one that counts.
      fields.set(field.name, fields.get(field.jsonName) ?? createEntry(field, tableOf, registry));
    }
    return table;
  };
  return tableOf;
}

function createEntry(field: DescField, tableOf: TableOf, registry: Registry): FieldEntry {
  return {
    field,
    key: field.jsonName,
    shape: field.fieldKind === "list" ? "list" : field.fieldKind === "map" ? "map" : "single",
    content: contentOf(field, tableOf, registry),
    takesNull:
      field.message?.typeName === "google.protobuf.Value" ||
      field.enum?.typeName === "google.protobuf.NullValue",
    rivals: field.oneof?.fields.filter((other) => other !== field).map((other) => other.jsonName) ?? [],
  };
}

function contentOf(field: DescField, tableOf: TableOf, registry: Registry): FieldContent {
  if (field.enum !== undefined) {
    return { kind: "leaf", leaf: enumLeaf(field.enum) };
  }
  const { message } = field;
  if (message === undefined) {
    const longAsString = field.fieldKind !== "map" && field.longAsString;
    return { kind: "leaf", leaf: scalarLeaf(field.scalar, longAsString) };
  }
  const leaf = messageLeaf(field, message);
  if (leaf !== undefined) {
    return { kind: "leaf", leaf };
  }
  return hasCustomJsonRepresentation(message)
    ? { kind: "opaque", read: createFieldReader(field, message, registry) }
    : { kind: "message", table: tableOf(message) };
}
