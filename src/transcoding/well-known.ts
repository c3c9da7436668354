import type { JsonValue } from "@bufbuild/protobuf";
import { protoCamelCase, protoSnakeCase } from "@bufbuild/protobuf/reflect";

const timestampPattern =
  /^(\d{4})-(\d{2})-(\d{2})T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
const durationPattern = /^-?(?:0|[1-9]\d{0,11})(?:\.\d{1,9})?s$/;
const maskPathPattern = /^[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*$/;

/**
 * A Timestamp as ProtoJSON has it (RFC 3339), with a day that the calendar has: Date.parse moves
 * 30 February on into March.
 */
export function timestampJson(json: JsonValue): string | undefined {
  const match = typeof json === "string" ? timestampPattern.exec(json) : null;
  if (match === null) {
    return undefined;
  }
  const [text, year, month, day] = match;
  const date = new Date(Date.UTC(2000, Number(month) - 1, 1));
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day) ? text : undefined;
}

/** A Duration as ProtoJSON has it: seconds with up to nine decimals, and an `s`. */
export function durationJson(json: JsonValue): string | undefined {
  return typeof json === "string" && durationPattern.test(json) ? json : undefined;
}

/** A FieldMask as ProtoJSON has it (camelCase), read from paths in camelCase or in proto names. */
export function fieldMaskJson(json: JsonValue): string | undefined {
  if (typeof json !== "string") {
    return undefined;
  }
  if (json === "") {
    return json;
  }
  const paths = json.split(",").map(protoCamelCasePath);
  return paths.includes(undefined) ? undefined : paths.join(",");
}

function protoCamelCasePath(path: string): string | undefined {
  if (!maskPathPattern.test(path)) {
    return undefined;
  }
  const camel = protoCamelCase(path);
  // A path that does not survive the way there and back would name another field.
  const survives = path.includes("_")
    ? protoSnakeCase(camel) === path
    : protoCamelCase(protoSnakeCase(path)) === path;
  return survives ? camel : undefined;
}
