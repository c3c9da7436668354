import { toBinary, toJson } from "@bufbuild/protobuf";
import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { negotiateJson, negotiateProblemType } from "../../src/transcoding/accept.ts";
import { parseJsonText } from "../../src/transcoding/json-text.ts";
import { RestError } from "../../src/transcoding/rest-error.ts";
import { bind, library, refusal } from "./demo.ts";
import { BookSchema, SearchBooksRequestSchema } from "./gen/demo_pb.ts";

const secret = "hunter2hunter2";
const runs = { numRuns: 400 };

const anyText = fc.string({ unit: "binary", maxLength: 40 });
const names = [...BookSchema.fields, ...SearchBooksRequestSchema.fields].flatMap((f) => [f.name, f.jsonName]);
const anyName = fc.oneof(
  fc.constantFrom(...names, "author.age", "also.also.page_size", "nope", "__proto__", ""),
  anyText,
);
const anyValue = fc.oneof(
  fc.constantFrom(
    "",
    "1",
    "-0",
    "true",
    "NaN",
    "1e400",
    "FORMAT_PAPER",
    "2024-01-01T00:00:00Z",
    "1s",
    "AA==",
    "a_b",
    "\ud800",
  ),
  fc.string({ unit: "grapheme", maxLength: 10 }),
  fc.double().map(String),
  fc.bigInt().map(String),
);
const anyPath = fc
  .array(
    fc.oneof(
      fc.constantFrom("books", "files", "v1", "projects", "rooms", "shelves", "editions", "", ".", ".."),
      anyText,
      anyText.map(encode),
    ),
  )
  .chain((segments) =>
    fc.constantFrom("", ":tag", ":undelete", "/", "%2f", "%").map((end) => `/${segments.join("/")}${end}`),
  );
const anyPairs = fc
  .array(fc.tuple(anyName, anyValue))
  .map((pairs) => pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&"));
const anyJson = fc.oneof(
  fc.dictionary(anyName, fc.oneof(anyValue, fc.jsonValue()), { maxKeys: 4, noNullPrototype: true }),
  fc.jsonValue(),
);

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** A public sentence: fixed words and the contract's names. */
function expectFit(act: () => unknown): void {
  const sentence = refusal(act);
  expect(sentence).toMatch(/^(?:nothing was refused|4\d\d [ -~]+\.)$/);
  expect(sentence).not.toMatch(/["\\]/);
  expect(sentence).not.toContain(secret);
}

describe("no input makes anything but a RestError", () => {
  test("paths and methods", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.constantFrom("GET", "POST", "HEAD", "OPTIONS", "DELETE"), anyText),
        fc.oneof(anyPath, anyText),
        (method, path) => {
          expectFit(() => library.match(method, path));
        },
      ),
      runs,
    );
  });

  test("queries", () => {
    fc.assert(
      fc.property(fc.oneof(anyPairs, anyText), (query) => {
        expectFit(() => toBinary(SearchBooksRequestSchema, bind("GET", `/books?${query}`) as never));
      }),
      runs,
    );
  });

  test("forms", () => {
    fc.assert(
      fc.property(fc.oneof(anyPairs, anyText, fc.uint8Array()), (body) => {
        expectFit(() =>
          toBinary(
            BookSchema,
            bind("POST", "/books", { contentType: "application/x-www-form-urlencoded", body }) as never,
          ),
        );
        expectFit(() => bind("POST", "/sign-in", { contentType: "application/x-www-form-urlencoded", body }));
      }),
      runs,
    );
  });

  test("JSON bodies, and what is taken can be written in binary and in JSON", () => {
    const bodies = fc.oneof(
      anyJson.map((value) => JSON.stringify(value)),
      anyText,
      fc.uint8Array(),
      fc
        .array(
          fc.constantFrom(
            "{",
            "}",
            "[",
            "]",
            '"',
            ":",
            ",",
            "\\",
            "1",
            "null",
            '"title"',
            '"note"',
            "\\u",
            "d800",
          ),
        )
        .map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(bodies, (body) => {
        for (const [method, path] of [
          ["POST", "/books"],
          ["PUT", "/books/1"],
          ["POST", "/books/1:tag"],
          ["POST", "/sign-in"],
        ] as const) {
          expectFit(() => bind(method, path, { contentType: "application/json", body }));
        }
        expectFit(() => {
          const message = bind("POST", "/books", { contentType: "application/json", body }) as never;
          toBinary(BookSchema, message);
          toJson(BookSchema, message);
        });
      }),
      runs,
    );
  });

  test("values of every field", () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.oneof(anyValue, fc.jsonValue()), (name, value) => {
        const body = JSON.stringify({ [name]: value });
        expectFit(() =>
          toBinary(BookSchema, bind("POST", "/books", { contentType: "application/json", body }) as never),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  test("headers", () => {
    const headers = fc.oneof(
      anyText,
      fc
        .array(
          fc.constantFrom(
            "application/json",
            "*/*",
            ",",
            ";",
            "q=",
            "0",
            '"',
            "\\",
            " ",
            "charset=",
            "utf-8",
            "=",
          ),
        )
        .map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(headers, headers, (contentType, contentEncoding) => {
        expectFit(() => bind("POST", "/books", { contentType, contentEncoding, body: "{}" }));
        expect(["application/json", null]).toContain(negotiateJson(contentType, []));
        expect(negotiateProblemType(contentType)).toContain("json");
      }),
      runs,
    );
  });

  test("nothing that the caller sent is echoed", () => {
    const bodies = [
      { [secret]: 1 },
      { pages: secret },
      { author: secret },
      { roles: { [secret]: { age: secret } } },
      { counts: { [secret]: secret } },
      { author: { [secret]: secret } },
      { tags: secret },
      { extra: secret },
      { format: secret },
      { bought_at: secret },
      secret,
    ];
    for (const body of bodies) {
      const act = () =>
        bind("POST", "/books", { contentType: "application/json", body: JSON.stringify(body) });
      expect(act).toThrow(RestError);
      expectFit(act);
    }
    for (const query of [
      secret,
      `pages=${secret}`,
      `page_size=${secret}`,
      `since=${secret}`,
      `author.${secret}=1`,
    ]) {
      const act = () => bind("GET", `/books?${query}`);
      expect(act).toThrow(RestError);
      expectFit(act);
    }
  });
});

describe("JSON text", () => {
  test("is read as JSON.parse reads it, where no name is given twice", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "grapheme" }), (value) => {
        const text = JSON.stringify(value);
        expect(JSON.stringify(parseJsonText(text))).toBe(text);
      }),
      runs,
    );
  });
});
