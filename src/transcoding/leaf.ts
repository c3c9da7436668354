import { fromJson, ScalarType, toJson } from "@bufbuild/protobuf";
import type { DescEnum, DescMessage, JsonValue, Registry } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { durationJson, fieldMaskJson, timestampJson } from "./well-known.ts";

/**
 * How the value of a field that holds no fields of its own is read. Both ways give the value as
 * ProtoJSON has it, checked for type, form and range, or undefined when it is not valid.
 */
export interface Leaf {
  /** Reads the text of a path variable, or of a query or form parameter. */
  readonly fromText: (text: string) => JsonValue | undefined;
  /** Reads a JSON value other than null. */
  readonly fromJson: (json: JsonValue) => JsonValue | undefined;
}

/** Gives a JSON value other than null as `fromJson` takes it, or undefined when it is not valid. */
export type ReadJson = (json: JsonValue) => JsonValue | undefined;

// The grammar of JSON numbers, for numbers in strings too: no signs in front, spaces or hexadecimal.
const numberPattern = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
// Twenty digits hold every 64-bit number; BigInt takes quadratic time over many more.
const integerPattern = /^-?(?:0|[1-9][0-9]{0,19})$/;
const base64Pattern = /^[A-Za-z0-9+/_-]*={0,2}$/;
const floatMax = 3.4028234663852886e38;

/** The leaf of a scalar type. */
export function scalarLeaf(scalar: ScalarType): Leaf {
  switch (scalar) {
    case ScalarType.STRING:
      return sameLeaf((json) => (typeof json === "string" ? json : undefined));
    case ScalarType.BOOL:
      return {
        // A form's ticked box that has no value of its own sends "on" (HTML, the value attribute of input).
        fromText: (text) => (text === "true" || text === "on" ? true : text === "false" ? false : undefined),
        fromJson: (json) => (typeof json === "boolean" ? json : undefined),
      };
    case ScalarType.BYTES:
      return sameLeaf(bytesJson);
    case ScalarType.DOUBLE:
      return sameLeaf((json) => floatJson(json, Number.MAX_VALUE));
    case ScalarType.FLOAT:
      return sameLeaf((json) => floatJson(json, floatMax));
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return integerLeaf((json) => int32Json(json, 0, 0xffffffff));
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return integerLeaf((json) => int64Json(json, 0n, 0xffffffffffffffffn));
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return integerLeaf((json) => int64Json(json, -0x8000000000000000n, 0x7fffffffffffffffn));
    default:
      return integerLeaf((json) => int32Json(json, -0x80000000, 0x7fffffff));
  }
}

/** The leaf of an enum: values by name or number; numbers without a name only where the enum is open. */
export function enumLeaf(desc: DescEnum): Leaf {
  const names = new Set(desc.values.flatMap((value) => [value.name, value.jsonName]));
  const numbers = new Set(desc.values.map((value) => value.number));
  const readNumber = (json: JsonValue) => {
    const number = int32Json(json, -0x80000000, 0x7fffffff);
    return number !== undefined && (desc.open || numbers.has(number)) ? number : undefined;
  };
  return {
    fromText: (text) => (names.has(text) ? text : integerPattern.test(text) ? readNumber(text) : undefined),
    fromJson: (json) => {
      if (typeof json === "number") {
        return readNumber(json);
      }
      return typeof json === "string" && names.has(json) ? json : undefined;
    },
  };
}

/**
 * The leaf of a message that ProtoJSON writes as a single scalar: the wrappers, Timestamp, Duration
 * and FieldMask. Undefined for every other message.
 */
export function messageLeaf(desc: DescMessage): Leaf | undefined {
  if (isWrapperDesc(desc)) {
    return scalarLeaf(desc.fields[0].scalar);
  }
  switch (desc.typeName) {
    case "google.protobuf.Timestamp":
      return sameLeaf((json) => checkedJson(desc, timestampJson(json)));
    case "google.protobuf.Duration":
      return sameLeaf((json) => checkedJson(desc, durationJson(json)));
    case "google.protobuf.FieldMask":
      return sameLeaf((json) => checkedJson(desc, fieldMaskJson(json)));
    default:
      return undefined;
  }
}

/**
 * Checks a value by reading it as a message and writing it again; undefined when it does not hold one.
 *
 * @param registry the messages that an Any may hold; without one none
 */
export function checkedJson(
  desc: DescMessage,
  json: JsonValue | undefined,
  registry?: Registry,
): JsonValue | undefined {
  if (json === undefined) {
    return undefined;
  }
  try {
    // Nothing but the caller's value goes in, so whatever this throws is about that value. Writing
    // finds what reading lets pass and no answer could show: 1e999 in a Struct, for one.
    const known = registry === undefined ? {} : { registry };
    toJson(desc, fromJson(desc, json, { recursionLimit: 1000, ...known }), known);
    return json;
  } catch {
    return undefined;
  }
}

function sameLeaf(read: ReadJson): Leaf {
  return { fromText: read, fromJson: read };
}

/** Text holds plain digits; JSON may have an exponent or a fraction of zeros, which ProtoJSON takes. */
function integerLeaf(read: ReadJson): Leaf {
  return { fromText: (text) => (integerPattern.test(text) ? read(text) : undefined), fromJson: read };
}

function int32Json(json: JsonValue, min: number, max: number): number | undefined {
  const number = numberJson(json);
  return number !== undefined && Number.isInteger(number) && number >= min && number <= max
    ? number
    : undefined;
}

function int64Json(json: JsonValue, min: bigint, max: bigint): string | undefined {
  // A number beyond 2^53 has already lost digits: it must be sent as a string.
  const text = typeof json === "number" ? (Number.isSafeInteger(json) ? String(json) : "") : json;
  if (typeof text !== "string" || !integerPattern.test(text)) {
    return undefined;
  }
  const number = BigInt(text);
  return number >= min && number <= max ? String(number) : undefined;
}

function floatJson(json: JsonValue, max: number): JsonValue | undefined {
  if (json === "NaN" || json === "Infinity" || json === "-Infinity") {
    return json;
  }
  const number = numberJson(json);
  return number !== undefined && Math.abs(number) <= max ? number : undefined;
}

function numberJson(json: JsonValue): number | undefined {
  if (typeof json === "number") {
    return json;
  }
  return typeof json === "string" && numberPattern.test(json) ? Number(json) : undefined;
}

function bytesJson(json: JsonValue): JsonValue | undefined {
  if (typeof json !== "string" || !base64Pattern.test(json)) {
    return undefined;
  }
  const digits = json.replace(/=+$/, "").length;
  // Padding is optional, but what is there must fill up the last four; one digit holds no byte.
  return digits % 4 === 1 || (json.length > digits && json.length % 4 !== 0) ? undefined : json;
}
