import { permissions } from "../../domain/role/permissions.ts";

/** What a field of the file holds. */
export type FieldType = "text" | "texts" | "permissions" | "switch" | "number";

/** A field of an item of the file: as it is read, as the schema describes it, and what it is where it is left out. */
export interface Field {
  readonly type: FieldType;
  /** For people who write a file. */
  readonly help: string;
  /** Whether it names the item: exactly one field that names it has to be there. */
  readonly isName?: true;
  /** Whether it has to be there. */
  readonly isRequired?: true;
  /** Whether it is for new items alone, and cannot be changed. */
  readonly isFixed?: true;
}

/** The fields of a kind of items, in the order in which they are written. */
export type Fields = Readonly<Record<string, Field>>;

/** The value of a field: lists are sets, in the order of their items; a number that is left out is null. */
export type Value = string | boolean | number | null | readonly string[];

/** An item of the file, with all of its fields. */
export type Item = Readonly<Record<string, Value>>;

/** What a field holds that is left out. */
export function emptyValue(type: FieldType): Value {
  if (type === "texts" || type === "permissions") return [];
  if (type === "switch") return false;
  return type === "number" ? null : "";
}

/** Lists are compared, and written, as sets. */
export function toSet(items: readonly string[]): readonly string[] {
  return [...new Set(items)].toSorted();
}

/** The JSON Schema of a field's value. */
export function valueSchema(type: FieldType): Record<string, unknown> {
  switch (type) {
    case "text":
      return { type: "string" };
    case "texts":
      return { type: "array", items: { type: "string" }, uniqueItems: true };
    case "permissions":
      return {
        type: "array",
        items: { anyOf: [{ enum: permissions }, { type: "string", pattern: ":" }] },
        uniqueItems: true,
      };
    case "switch":
      return { type: "boolean" };
    case "number":
      return { type: "integer", minimum: 0 };
  }
}
