import { create, type DescField, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import { isWrapperDesc, timestampFromMs } from "@bufbuild/protobuf/wkt";
import * as fc from "fast-check";

/**
 * Messages of a type, filled by chance: each field is set or not, with texts from `texts`. Messages within messages are
 * filled to a depth; of protobuf's own Timestamp and the wrappers alone are.
 */
export function anyMessage(desc: DescMessage, texts: fc.Arbitrary<string>, depth = 3): fc.Arbitrary<Message> {
  const fields = desc.fields.filter(({ message }) => message === undefined || isFilled(message, depth));
  const contents = fields.map((field) => fc.option(anyContent(field, texts, depth)));
  return fc.tuple(...contents).map((values) => {
    const message = create(desc);
    const target = reflect(desc, message);
    for (const [index, field] of fields.entries()) {
      const content = values[index];
      if (content !== null && content !== undefined) fill(target, field, content);
    }
    return message;
  });
}

function isFilled(desc: DescMessage, depth: number): boolean {
  const isOwn = desc.typeName.startsWith("google.protobuf.");
  return isOwn ? desc.typeName === "google.protobuf.Timestamp" || isWrapperDesc(desc) : depth > 0;
}

/** Values, each with a text to make a key of: one where the field is singular. */
type Content = readonly (readonly [value: unknown, key: string])[];

function anyContent(field: DescField, texts: fc.Arbitrary<string>, depth: number): fc.Arbitrary<Content> {
  const isMany = field.fieldKind === "list" || field.fieldKind === "map";
  const length = isMany ? { maxLength: 4 } : { minLength: 1, maxLength: 1 };
  return fc.array(fc.tuple(anyValue(field, texts, depth), texts), length);
}

function fill(target: ReflectMessage, field: DescField, content: Content): void {
  for (const [value, key] of content) {
    switch (field.fieldKind) {
      case "list":
        target.get(field).add(value);
        break;
      case "map":
        target.get(field).set(keyOf(field.mapKey, key), value);
        break;
      default:
        target.set(field, value);
    }
  }
}

function keyOf(type: ScalarType, text: string): string | number | boolean {
  if (type === ScalarType.STRING) return text;
  return type === ScalarType.BOOL ? text !== "" : text.length;
}

/** A value as `reflect` takes it. */
function anyValue(field: DescField, texts: fc.Arbitrary<string>, depth: number): fc.Arbitrary<unknown> {
  const { message, enum: choice } = field;
  if (message !== undefined) {
    const any =
      message.typeName === "google.protobuf.Timestamp"
        ? fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }).map(timestampFromMs)
        : anyMessage(message, texts, depth - 1);
    return any.map((each) => reflect(message, each));
  }
  if (choice !== undefined) return fc.constantFrom(...choice.values.map(({ number }) => number));
  switch (field.scalar) {
    case ScalarType.STRING:
      return texts;
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 40 });
    case ScalarType.DOUBLE:
      return fc.double();
    case ScalarType.FLOAT:
      return fc.float();
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return fc.oneof(fc.nat(2000), fc.nat(0x7fff_ffff));
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    default:
      return fc.oneof(fc.integer({ min: -3, max: 1003 }), fc.integer());
  }
}
