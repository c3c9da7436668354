import type { DescField, DescMessage, JsonObject, JsonValue, Message } from "@bufbuild/protobuf";
import { Edition, FeatureSet_FieldPresence, hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import type { JsonStyle } from "./json-style.ts";
import { createCustomReader, createValueReader, isZero, type ToJson } from "./json-value.ts";

/** Writes a message as JSON. */
export type MessageWriter = (message: Message) => string;

/** Gives each message its writer, and each field of an answer the writer of its value. */
export interface JsonWriters {
  /** The same one every time. */
  message(desc: DescMessage): MessageWriter;
  /** Writes one field of a message: `null` where it is unset. */
  field(field: DescField): MessageWriter;
}

/** Puts one member of a message into its JSON, or leaves it out. */
type Member = (message: Fields, json: JsonObject) => void;

type Fields = Readonly<Record<string, unknown>>;

interface Chosen {
  readonly case?: string | undefined;
  readonly value?: unknown;
}

/**
 * Compiles the messages of ProtoJSON into functions that write them. A message becomes one object with its members in
 * their last order, which JSON.stringify writes: that is faster than to write each member as text. Extensions are not
 * written.
 *
 * The functions throw an Error where a message does not hold what its type says: a mistake in the service.
 *
 * @throws Error if a member cannot be written
 */
export function createJsonWriters(style: JsonStyle): JsonWriters {
  const known = new Map<DescMessage, ToJson>();
  const toJsonOf = (desc: DescMessage): ToJson => {
    const toJson =
      known.get(desc) ?? (hasCustomJsonRepresentation(desc) ? createCustomReader(desc, style) : null);
    if (toJson !== null) return toJson;
    const members: Member[] = [];
    const compiled: ToJson = (message) => {
      const json: JsonObject = {};
      for (const member of members) member(message as Fields, json);
      return json;
    };
    // Known before it is filled, so that a message that holds itself finds its own.
    known.set(desc, compiled);
    for (const field of inOrder(desc, style)) {
      members.push(createMember(field, style, createValueReader(field, style, toJsonOf)));
    }
    return compiled;
  };
  const writers = new Map<DescMessage, MessageWriter>();
  return {
    message(desc) {
      const known = writers.get(desc);
      if (known !== undefined) return known;
      const toJson = toJsonOf(desc);
      const writer: MessageWriter = (message) => JSON.stringify(toJson(message));
      writers.set(desc, writer);
      return writer;
    },
    field(field) {
      const read = createReader(field, style, createValueReader(field, style, toJsonOf));
      return (message) => JSON.stringify(read(message) ?? null);
    },
  };
}

function inOrder({ fields }: DescMessage, { names }: JsonStyle): readonly DescField[] {
  return names === "proto" ? fields : fields.toSorted((one, other) => one.number - other.number);
}

function createMember(field: DescField, style: JsonStyle, toJson: ToJson): Member {
  const name = style.names === "proto" ? field.name : field.jsonName;
  if (name === "__proto__") throw new Error(`${field.toString()} cannot be a member of an object`);
  const read = createReader(field, style, toJson);
  if (style.isNullable(field)) {
    return (message, json) => {
      json[name] = read(message) ?? null;
    };
  }
  return (message, json) => {
    const value = read(message);
    if (value !== undefined) json[name] = value;
  };
}

/** Gives the JSON of a field; undefined where it is left out. */
function createReader(
  field: DescField,
  style: JsonStyle,
  toJson: ToJson,
): (message: Fields) => JsonValue | undefined {
  const { localName, oneof, presence } = field;
  if (presence === FeatureSet_FieldPresence.IMPLICIT) {
    const isWritten = style.writesZeros && style.omitsZero?.(field) !== true;
    if (isWritten) return (message) => toJson(message[localName]);
    const isUnset = isZero(field);
    return (message) => (isUnset(message[localName]) ? undefined : toJson(message[localName]));
  }
  if (oneof !== undefined) {
    return (message) => {
      const { case: chosen, value } = message[oneof.localName] as Chosen;
      return chosen === localName ? toJson(value) : undefined;
    };
  }
  // In proto3 nothing is inherited from a prototype; elsewhere defaults are.
  const isOwn = field.parent.file.edition === Edition.EDITION_PROTO3 ? always : Object.hasOwn;
  const isRequired = presence === FeatureSet_FieldPresence.LEGACY_REQUIRED;
  return (message) => {
    const value = message[localName];
    if (value !== undefined && isOwn(message, localName)) return toJson(value);
    if (isRequired) throw new Error(`${field.toString()} is not set`);
    return undefined;
  };
}

function always(): boolean {
  return true;
}
