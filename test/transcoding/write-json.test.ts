import {
  create,
  type DescField,
  type DescMessage,
  type DescService,
  type JsonObject,
  type JsonValue,
  type Message,
  toJson,
} from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { createJsonWriters } from "../../src/transcoding/write-json.ts";
import { anyMessage } from "../_harness/any-message.ts";
import { contractServices } from "../_harness/contract-services.ts";
import { BookSchema, LibraryService, SearchBooksRequestSchema } from "./gen/demo_pb.ts";

// What is written is what @bufbuild/protobuf makes of the message, byte by byte.

const texts = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }).map((text) => text.toWellFormed()),
  fc.constantFrom('"', "\\", "\u2028", "\u0000", "__proto__", "9", "10"),
);

const isNullable = (field: DescField) =>
  field.proto.options?.deprecated !== true && field.name.length % 2 === 0;

/** The same by toJson: in declared order, with null for what is unset and nullable. */
function arrange(desc: DescMessage, json: JsonValue): JsonValue {
  if (hasCustomJsonRepresentation(desc)) return json;
  const arranged: [string, JsonValue][] = [];
  for (const field of desc.fields) {
    const value = (json as JsonObject)[field.name];
    if (value !== undefined) arranged.push([field.name, arrangeValue(field, value)]);
    else if (isNullable(field)) arranged.push([field.name, null]);
  }
  return Object.fromEntries(arranged);
}

function arrangeValue(field: DescField, value: JsonValue): JsonValue {
  const { message } = field;
  if (message === undefined) return value;
  switch (field.fieldKind) {
    case "list":
      return (value as JsonValue[]).map((item) => arrange(message, item));
    case "map":
      return Object.fromEntries(
        Object.entries(value as JsonObject).map(([key, item]) => [key, arrange(message, item)]),
      );
    default:
      return arrange(message, value);
  }
}

async function messagesOf(): Promise<readonly DescMessage[]> {
  const services: readonly DescService[] = [...(await contractServices()), LibraryService];
  const used = services.flatMap(({ methods }) => methods.flatMap(({ input, output }) => [input, output]));
  return [...new Set(used)];
}

function compare(
  desc: DescMessage,
  write: (message: Message) => string,
  expected: (message: Message) => JsonValue,
) {
  fc.assert(
    fc.property(anyMessage(desc, texts, 2), (message) => {
      expect(write(message)).toBe(JSON.stringify(expected(message)));
    }),
    { numRuns: 20 },
  );
}

describe("every message of the contract and of the library", () => {
  test("is written as REST answers are", async () => {
    const writers = createJsonWriters({ names: "proto", writesZeros: true, isNullable, registry: undefined });
    const messages = await messagesOf();
    expect(messages.length).toBeGreaterThan(30);
    for (const desc of messages) {
      compare(desc, writers.message(desc), (message) =>
        arrange(desc, toJson(desc, message, { useProtoFieldName: true, alwaysEmitImplicit: true })),
      );
    }
  }, 60_000);

  test("is written as ProtoJSON", async () => {
    const style = {
      names: "json",
      writesZeros: false,
      isNullable: () => false,
      registry: undefined,
    } as const;
    const writers = createJsonWriters(style);
    const messages = await messagesOf();
    expect(messages.length).toBeGreaterThan(30);
    for (const desc of messages) {
      compare(desc, writers.message(desc), (message) => toJson(desc, message));
    }
  }, 60_000);
});

describe("a message of protobuf's own", () => {
  const writers = createJsonWriters({
    names: "json",
    writesZeros: false,
    isNullable: () => false,
    registry: undefined,
  });
  test.each<[string, DescMessage, object]>([
    ["a duration", BookSchema, { loan: { seconds: 3n, nanos: 500_000_000 } }],
    ["wrappers", BookSchema, { subtitle: "", edition: 0 }],
    ["a Struct", BookSchema, { extra: { a: [1, null, { b: "c" }], __proto__: null } }],
    ["a Value", BookSchema, { note: { kind: { case: "nullValue", value: 0 } } }],
    [
      "a wrapper and a mask",
      SearchBooksRequestSchema,
      { available: false, fields: { paths: ["page_size"] } },
    ],
  ])("%s is written in its own form", (_what, desc, init) => {
    const message = create(desc, init as Record<string, unknown>);
    expect(writers.message(desc)(message)).toBe(JSON.stringify(toJson(desc, message)));
  });
});

test.each<[string, object]>([
  ["a text", { title: undefined }],
  ["a number", { pages: Number.NaN }],
  ["an enum", { format: "FORMAT_PAPER" }],
  ["a flag", { available: 1 }],
  ["bytes", { cover: "AA==" }],
  ["a long number", { serial: 1.5 }],
])("%s that is none is not written", (_what, wrong) => {
  const style = { names: "proto", writesZeros: true, isNullable, registry: undefined } as const;
  const message = Object.assign(create(BookSchema), wrong);
  expect(() => createJsonWriters(style).message(BookSchema)(message)).toThrow("is not of the type of");
});
