import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  ScalarType,
} from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";

/** A value's schema, and an example of it. */
export interface ValueSchema {
  readonly schema: JsonObject;
  readonly example: JsonValue;
}

/** The JSON of a scalar, as ProtoJSON writes it: 64-bit integers are strings, bytes are base64. */
function scalarSchema(scalar: ScalarType): ValueSchema {
  switch (scalar) {
    case ScalarType.STRING:
      return { schema: { type: "string" }, example: "text" };
    case ScalarType.BOOL:
      return { schema: { type: "boolean" }, example: true };
    case ScalarType.BYTES:
      return { schema: { type: "string", contentEncoding: "base64" }, example: "AAEC" };
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return { schema: { type: "number" }, example: 1.5 };
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return { schema: { type: "integer", minimum: 0, maximum: 0xffffffff }, example: 1 };
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return { schema: { type: "string", pattern: "^[0-9]+$" }, example: "1" };
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return { schema: { type: "string", pattern: "^-?[0-9]+$" }, example: "1" };
    default:
      return { schema: { type: "integer", format: "int32" }, example: 1 };
  }
}

/** An enum, which is written by name. */
function enumSchema({ values }: DescEnum): ValueSchema {
  const names = values.map(({ name }) => name);
  return { schema: { type: "string", enum: names }, example: names[1] ?? names[0] ?? "" };
}

/** The messages of google.protobuf that ProtoJSON writes in a way of their own; undefined for others. */
export function wellKnownSchema(desc: DescMessage): ValueSchema | undefined {
  if (isWrapperDesc(desc)) return scalarSchema(desc.fields[0].scalar);
  switch (desc.typeName) {
    case "google.protobuf.Timestamp":
      return { schema: { type: "string", format: "date-time" }, example: "2026-11-24T08:30:00Z" };
    case "google.protobuf.Duration":
      return { schema: { type: "string", pattern: "^-?[0-9]+(\\.[0-9]{1,9})?s$" }, example: "1.5s" };
    case "google.protobuf.FieldMask":
      return { schema: { type: "string" }, example: "email,roles" };
    case "google.protobuf.Empty":
    case "google.protobuf.Struct":
    case "google.protobuf.Any":
      return { schema: { type: "object" }, example: {} };
    case "google.protobuf.ListValue":
      return { schema: { type: "array", items: {} }, example: [] };
    case "google.protobuf.Value":
      return { schema: {}, example: null };
    default:
      return undefined;
  }
}

/**
 * The value of a field, or of each item of it.
 *
 * @throws Error if that is a message with fields of its own
 */
export function plainValue(field: DescField): ValueSchema {
  if (field.enum !== undefined) return enumSchema(field.enum);
  if (field.scalar !== undefined) return scalarSchema(field.scalar);
  const value = field.message === undefined ? undefined : wellKnownSchema(field.message);
  if (value === undefined) throw new Error(`${field.toString()} is no plain value`);
  return value;
}

/** Whether a field's value, or each of them, can stand in a form or a query: it is no message with fields of its own. */
export function isPlain(field: DescField): boolean {
  return (
    field.fieldKind !== "map" && (field.message === undefined || wellKnownSchema(field.message) !== undefined)
  );
}
