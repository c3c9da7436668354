import { isDeepStrictEqual } from "node:util";
import {
  create,
  createRegistry,
  type DescMessage,
  fromJson,
  type JsonValue,
  toJson,
} from "@bufbuild/protobuf";
import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { parseJsonText } from "../../src/transcoding/json-text.ts";
import { createTables } from "../../src/transcoding/message-table.ts";
import { readJsonMessage } from "../../src/transcoding/read-json.ts";
import { anyMessage } from "../_harness/any-message.ts";
import { contractServices } from "../_harness/contract-services.ts";
import { refusal } from "./demo.ts";
import {
  AuthorSchema,
  BookSchema,
  file_demo,
  LibraryService,
  ParcelSchema,
  SearchBooksRequestSchema,
} from "./gen/demo_pb.ts";

// What is read is what @bufbuild/protobuf reads.

const registry = createRegistry(file_demo);
const tableOf = createTables(() => false, registry);
const read = (desc: DescMessage, json: JsonValue) =>
  readJsonMessage(tableOf(desc), parseJsonText(JSON.stringify(json)), "").message;

const texts = fc.oneof(
  fc.string({ unit: "binary" }).map((text) => text.toWellFormed()),
  fc.constantFrom('"', "\\", "__proto__", "0"),
);

test("every message of the contract and of the library is read from its JSON, under both names", async () => {
  const services = [...(await contractServices()), LibraryService];
  const descs = new Set(
    services.flatMap(({ methods }) => methods.flatMap(({ input, output }) => [input, output])),
  );
  expect(descs.size).toBeGreaterThan(30);
  for (const desc of descs) {
    if (desc.typeName.startsWith("google.protobuf.")) continue;
    fc.assert(
      fc.property(anyMessage(desc, texts, 2), fc.boolean(), (message, useProtoFieldName) => {
        const text = JSON.stringify(toJson(desc, message, { useProtoFieldName }));
        const json = JSON.parse(text) as JsonValue;
        // toEqual does not look at a key __proto__.
        expect(isDeepStrictEqual(read(desc, json), fromJson(desc, json))).toBe(true);
      }),
      { numRuns: 20 },
    );
  }
}, 60_000);

describe("a value is read as fromJson reads it:", () => {
  test.each<[string, DescMessage, JsonValue]>([
    ["a Timestamp", SearchBooksRequestSchema, { since: "2026-02-28T00:00:00.5+01:00" }],
    ["a Duration", SearchBooksRequestSchema, { loan: "-1.5s" }],
    ["a FieldMask", SearchBooksRequestSchema, { fields: "pageSize,author.displayName" }],
    ["a wrapper", SearchBooksRequestSchema, { available: false }],
    ["wrappers", BookSchema, { subtitle: "", edition: "7" }],
    ["a Struct", BookSchema, { extra: { a: [1, null, { b: "c" }], "": {} } }],
    ["a Value", BookSchema, { note: [null, 1] }],
    ["a Value that is null", BookSchema, { note: null }],
    [
      "an Any",
      ParcelSchema,
      { content: { "@type": "type.googleapis.com/demo.v1.Author", displayName: "a" } },
    ],
    ["a map", BookSchema, { counts: { a: 1, "": -1 }, roles: { b: { age: 1 } } }],
    ["bytes", SearchBooksRequestSchema, { cover: "-_8" }],
    ["an enum by its number", SearchBooksRequestSchema, { formats: [1, "FORMAT_EBOOK", 9] }],
    [
      "numbers",
      SearchBooksRequestSchema,
      { pageSize: "1e1", serial: "18446744073709551615", rating: "NaN", weight: "-0" },
    ],
    ["null", SearchBooksRequestSchema, { pageSize: null, tags: null, author: null, isbn: null }],
    ["one of two", SearchBooksRequestSchema, { isbn: "" }],
    ["zeros with presence", AuthorSchema, { age: 0 }],
  ])("%s", (_what, desc, json) => {
    expect(read(desc, json)).toEqual(fromJson(desc, json, { registry }));
  });

  test("a key of a map has no meaning of its own", () => {
    const json = JSON.parse('{"counts":{"__proto__":1}}') as JsonValue;
    expect(Object.keys((read(BookSchema, json) as unknown as { counts: object }).counts)).toEqual([
      "__proto__",
    ]);
    expect({}).not.toHaveProperty("1");
  });

  test("two of one oneof are refused, whatever their values", () => {
    expect(refusal(() => read(SearchBooksRequestSchema, { isbn: "", issn: "" }))).toBe(
      "400 Only one of the fields of code may be given.",
    );
  });
});

test("an empty object leaves a message as it was made", () => {
  expect(read(BookSchema, {})).toEqual(create(BookSchema));
});
