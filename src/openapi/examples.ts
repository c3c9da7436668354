import {
  type DescField,
  type DescMessage,
  getOption,
  hasOption,
  type JsonObject,
  type JsonValue,
  ScalarType,
} from "@bufbuild/protobuf";
import { example, nullable } from "../gen/countersign/v1/options_pb.ts";
import { plainValue, wellKnownSchema } from "./value-schema.ts";

/** Which fields an example shows. */
interface Shown {
  /** Whether only fields with an example of their own are shown, as suits a request. */
  readonly onlyGiven: boolean;
  /** A field that is left out; empty for none. */
  readonly omitted: string;
}

// Deep enough for every example; a message that holds itself has to end somewhere.
const depthMax = 4;

/** An example of a request: the fields that the contract gives examples of. */
export function requestExample(desc: DescMessage): JsonObject {
  return exampleOf(desc, { onlyGiven: true, omitted: "" }, 0);
}

/**
 * An example of an answer: all of its fields, except texts without an example in the contract. A field that may be
 * null and has no example is null.
 */
export function answerExample(desc: DescMessage, omitted = ""): JsonObject {
  return exampleOf(desc, { onlyGiven: false, omitted }, 0);
}

/** The value of an option: a string's text, or JSON for everything else. */
export function readOptionValue(field: DescField, text: string): JsonValue {
  const isText =
    field.fieldKind === "scalar"
      ? field.scalar === ScalarType.STRING
      : field.fieldKind === "message" && wellKnownSchema(field.message)?.schema["type"] === "string";
  return isText ? text : (JSON.parse(text) as JsonValue);
}

function exampleOf(desc: DescMessage, shown: Shown, depth: number): JsonObject {
  const fields = desc.fields.filter(
    (field) =>
      field.name !== shown.omitted &&
      (hasOption(field, example) ||
        !(shown.onlyGiven || (field.scalar === ScalarType.STRING && !getOption(field, nullable)))),
  );
  return Object.fromEntries(fields.map((field) => [field.name, exampleValue(field, shown, depth)]));
}

function exampleValue(field: DescField, shown: Shown, depth: number): JsonValue {
  if (hasOption(field, example)) return readOptionValue(field, getOption(field, example));
  if (getOption(field, nullable)) return null;
  const value = oneExample(field, shown, depth);
  if (field.fieldKind === "list") return [value];
  return field.fieldKind === "map" ? { key: value } : value;
}

function oneExample(field: DescField, shown: Shown, depth: number): JsonValue {
  const { message } = field;
  if (message === undefined || wellKnownSchema(message) !== undefined) return plainValue(field).example;
  return depth < depthMax ? exampleOf(message, { ...shown, omitted: "" }, depth + 1) : {};
}
