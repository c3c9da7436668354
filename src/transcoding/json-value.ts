import {
  type DescEnum,
  type DescField,
  type DescMessage,
  fromJson,
  type JsonObject,
  type JsonValue,
  type Message,
  ScalarType,
  toJson,
} from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import type { JsonStyle } from "./json-style.ts";

/** Gives a value as JSON has it. @throws Error if it is not of its type: a mistake in the service */
export type ToJson = (value: unknown) => JsonValue;

/** @param toJsonOf gives messages with fields of their own their JSON */
export function createValueReader(
  field: DescField,
  style: JsonStyle,
  toJsonOf: (desc: DescMessage) => ToJson,
): ToJson {
  const toJson = createSingleReader(field, style, toJsonOf);
  switch (field.fieldKind) {
    case "list":
      return (list) => (list as readonly unknown[]).map((item) => toJson(item));
    case "map":
      return (map) => mapToJson(map as Readonly<Record<string, unknown>>, toJson);
    default:
      return toJson;
  }
}

/** Whether a value of a field without presence is what the field has when nothing was set. */
export function isZero(field: DescField): (value: unknown) => boolean {
  switch (field.fieldKind) {
    case "list":
      return (list) => (list as readonly unknown[]).length === 0;
    case "map":
      return (map) => Object.keys(map as object).length === 0;
    case "enum": {
      const zero = field.enum.values[0]?.number;
      return (value) => value === zero;
    }
    case "message":
      return () => false;
    case "scalar":
      return isZeroScalar(field.scalar);
  }
}

function isZeroScalar(scalar: ScalarType): (value: unknown) => boolean {
  switch (scalar) {
    case ScalarType.BOOL:
      return (value) => value === false;
    case ScalarType.STRING:
      return (value) => value === "";
    case ScalarType.BYTES:
      return (value) => (value as Uint8Array).byteLength === 0;
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      // -0 is a number of its own.
      return (value) => Object.is(value, 0);
    default:
      return (value) => value === 0 || value === 0n || value === "0";
  }
}

function mapToJson(map: Readonly<Record<string, unknown>>, toJson: ToJson): JsonValue {
  // Without a prototype, so that no key has a meaning of its own.
  const json = Object.create(null) as JsonObject;
  for (const key of Object.keys(map)) json[key] = toJson(map[key]);
  return json;
}

function createSingleReader(
  field: DescField,
  style: JsonStyle,
  toJsonOf: (desc: DescMessage) => ToJson,
): ToJson {
  const { message } = field;
  if (field.enum !== undefined) return createEnumReader(field.enum);
  if (message === undefined) return createScalarReader(field.scalar, field);
  if (!isUnwrapped(field)) return toJsonOf(message);
  if (isWrapperDesc(message)) return createScalarReader(message.fields[0].scalar, field);
  const toJson = createCustomReader(message, style);
  return (value) => toJson(fromJson(message, value as JsonValue));
}

/** For a message of protobuf's own that has a form of its own in JSON. */
export function createCustomReader(desc: DescMessage, { names, writesZeros, registry }: JsonStyle): ToJson {
  const options = {
    useProtoFieldName: names === "proto",
    alwaysEmitImplicit: writesZeros,
    ...(registry === undefined ? {} : { registry }),
  };
  return (message) => toJson(desc, message as Message, options);
}

/**
 * Whether a message does not hold the field's message itself: it holds the scalar of a wrapper that is neither repeated
 * nor in a oneof, and the JSON of a Struct.
 */
function isUnwrapped({ fieldKind, oneof, message, parent }: DescField): boolean {
  if (message?.typeName === "google.protobuf.Struct") return parent.typeName !== "google.protobuf.Value";
  return fieldKind === "message" && oneof === undefined && message !== undefined && isWrapperDesc(message);
}

function createEnumReader(desc: DescEnum): ToJson {
  if (desc.typeName === "google.protobuf.NullValue") return () => null;
  const names = new Map(desc.values.map(({ number, jsonName }) => [number, jsonName]));
  return (value) => {
    if (typeof value !== "number") throw notA(desc);
    return names.get(value) ?? value;
  };
}

function createScalarReader(scalar: ScalarType, field: DescField): ToJson {
  switch (scalar) {
    case ScalarType.STRING:
      return (value) => {
        if (typeof value !== "string") throw notA(field);
        return value;
      };
    case ScalarType.BOOL:
      return (value) => {
        if (typeof value !== "boolean") throw notA(field);
        return value;
      };
    case ScalarType.BYTES:
      return (value) => {
        if (!(value instanceof Uint8Array)) throw notA(field);
        return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
      };
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return (value) => {
        if (typeof value !== "number") throw notA(field);
        return Number.isFinite(value) ? value : String(value);
      };
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return (value) => {
        if (typeof value === "bigint" || typeof value === "string" || Number.isInteger(value)) {
          return String(value);
        }
        throw notA(field);
      };
    default:
      return (value) => {
        if (typeof value !== "number" || !Number.isFinite(value)) throw notA(field);
        return value;
      };
  }
}

function notA(desc: DescField | DescEnum): Error {
  return new Error(`a value is not of the type of ${desc.toString()}`);
}
