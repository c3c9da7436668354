import { ScalarType } from "@bufbuild/protobuf";
import type { DescEnum, JsonValue } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";

/**
 * How the value of a field that holds no fields of its own is read. Both ways give the value as
 * messages hold it, or undefined when its type, form or range is not valid.
 */
export interface Leaf {
  /** Reads the text of a path variable, or of a query or form parameter. */
  readonly fromText: (text: string) => unknown;
  /** Reads a JSON value; null only where it is a value of its own. */
  readonly fromJson: ReadJson;
}

/** Reads a JSON value as messages hold it; undefined when it is not valid. */
export type ReadJson = (json: JsonValue) => unknown;

// The grammar of JSON numbers, for numbers in strings too: no signs in front, spaces or hexadecimal.
const numberPattern = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
// Twenty digits hold every 64-bit number; BigInt takes quadratic time over many more.
const integerPattern = /^-?(?:0|[1-9][0-9]{0,19})$/;
const base64Pattern = /^[A-Za-z0-9+/_-]*={0,2}$/;
const floatMax = 3.4028234663852886e38;

/**
 * The leaf of a scalar type.
 *
 * @param longAsString whether messages hold 64-bit integers as texts
 */
export function scalarLeaf(scalar: ScalarType, longAsString = false): Leaf {
  const long = (min: bigint, max: bigint): Leaf =>
    integerLeaf((json) => {
      const number = int64(json, min, max);
      return longAsString && number !== undefined ? String(number) : number;
    });
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
      return sameLeaf(readBytes);
    case ScalarType.DOUBLE:
      return sameLeaf((json) => readFloat(json, Number.MAX_VALUE));
    case ScalarType.FLOAT:
      return sameLeaf((json) => readFloat(json, floatMax));
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return integerLeaf((json) => int32(json, 0, 0xffffffff));
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return long(0n, 0xffffffffffffffffn);
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return long(-0x8000000000000000n, 0x7fffffffffffffffn);
    default:
      return integerLeaf((json) => int32(json, -0x80000000, 0x7fffffff));
  }
}

/** The leaf of an enum: values by name or number; numbers without a name only where the enum is open. */
export function enumLeaf(desc: DescEnum): Leaf {
  // Proto names last: where one equals another value's JSON name, it is the one that counts.
  const byName = new Map([
    ...desc.values.map(({ jsonName, number }) => [jsonName, number] as const),
    ...desc.values.map(({ name, number }) => [name, number] as const),
  ]);
  const numbers = new Set(desc.values.map((value) => value.number));
  const readValue = (json: JsonValue) => {
    const number = int32(json, -0x80000000, 0x7fffffff);
    return number !== undefined && (desc.open || numbers.has(number)) ? number : undefined;
  };
  return {
    fromText: (text) => byName.get(text) ?? (integerPattern.test(text) ? readValue(text) : undefined),
    fromJson: (json) => {
      if (typeof json === "number") {
        return readValue(json);
      }
      // Null is a value of NullValue alone, and its only one.
      return typeof json === "string" ? byName.get(json) : json === null ? 0 : undefined;
    },
  };
}

/** A leaf that is read alike from text and from JSON. */
export function sameLeaf(read: ReadJson): Leaf {
  return { fromText: read, fromJson: read };
}

/** Text holds plain digits; JSON may have an exponent or a fraction of zeros, which ProtoJSON takes. */
function integerLeaf(read: ReadJson): Leaf {
  return { fromText: (text) => (integerPattern.test(text) ? read(text) : undefined), fromJson: read };
}

function int32(json: JsonValue, min: number, max: number): number | undefined {
  const number = readNumber(json);
  return number !== undefined && Number.isInteger(number) && number >= min && number <= max
    ? number
    : undefined;
}

function int64(json: JsonValue, min: bigint, max: bigint): bigint | undefined {
  // A number beyond 2^53 has already lost digits: it must be sent as a string.
  const text = typeof json === "number" ? (Number.isSafeInteger(json) ? String(json) : "") : json;
  if (typeof text !== "string" || !integerPattern.test(text)) {
    return undefined;
  }
  const number = BigInt(text);
  return number >= min && number <= max ? number : undefined;
}

function readFloat(json: JsonValue, max: number): number | undefined {
  if (json === "NaN" || json === "Infinity" || json === "-Infinity") {
    return Number(json);
  }
  const number = readNumber(json);
  return number !== undefined && Math.abs(number) <= max ? number : undefined;
}

function readNumber(json: JsonValue): number | undefined {
  if (typeof json === "number") {
    return json;
  }
  return typeof json === "string" && numberPattern.test(json) ? Number(json) : undefined;
}

function readBytes(json: JsonValue): Uint8Array | undefined {
  if (typeof json !== "string" || !base64Pattern.test(json)) {
    return undefined;
  }
  const digits = json.replace(/=+$/, "").length;
  // Padding is optional, but what is there must fill up the last four; one digit holds no byte.
  const isWhole = digits % 4 !== 1 && (json.length === digits || json.length % 4 === 0);
  // our own text: the lines above have checked its form, in either alphabet, as ProtoJSON wants.
  return isWhole ? base64Decode(json) : undefined;
}
