import { create, type JsonObject, type JsonValue, toJson } from "@bufbuild/protobuf";
import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { negotiateStream, type StreamFormat, streamTypes } from "../../src/transcoding/accept.ts";
import { parseForm } from "../../src/transcoding/form.ts";
import { matchPath } from "../../src/transcoding/match-path.ts";
import { parseMediaType, splitList } from "../../src/transcoding/media-type.ts";
import { decodePercent, decodePercentKeepingSlashes } from "../../src/transcoding/percent.ts";
import { compileRoutes, type Route } from "../../src/transcoding/route-trie.ts";
import { createJsonStreamWriter } from "../../src/transcoding/stream-writer.ts";
import { parseTemplate } from "../../src/transcoding/template.ts";
import { bind, formType, jsonType } from "./demo.ts";
import { Format, SearchBooksRequestSchema, type SearchBooksRequest } from "./gen/demo_pb.ts";

const runs = { numRuns: 300 };

const literal = fc.constantFrom("a", "b", "c", "a-b", "v1");
const segment = fc.oneof(literal, fc.constant("*"), fc.constant("**"));

/** Segments with `**` at the end alone. */
const segments = fc
  .array(fc.oneof({ weight: 3, arbitrary: literal }, fc.constant("*")), { minLength: 1, maxLength: 4 })
  .chain((list) => fc.boolean().map((rest) => (rest ? [...list, "**"] : list)));

describe("a path template", () => {
  test("is parsed into what it was written from", () => {
    const name = fc.constantFrom("id", "book.id", "a_b.c1");
    const verb = fc.option(fc.constantFrom("go", "v.1"), { nil: null });
    fc.assert(
      fc.property(segments, name, fc.nat(3), verb, (list, field, at, suffix) => {
        const start = Math.min(at, list.length - 1);
        const end = list.length;
        const variable = `{${field}=${list.slice(start).join("/")}}`;
        const text = `/${[...list.slice(0, start), variable].join("/")}${suffix === null ? "" : `:${suffix}`}`;
        expect(parseTemplate(text)).toEqual({
          segments: list.map((piece) =>
            piece === "*"
              ? { kind: "any" }
              : piece === "**"
                ? { kind: "rest" }
                : { kind: "literal", text: piece },
          ),
          variables: [{ fieldPath: field.split("."), start, end: list.at(-1) === "**" ? null : end }],
          verb: suffix,
        });
      }),
      runs,
    );
  });

  test("of any text is parsed, or refused by its name", () => {
    const pieces = fc.array(
      fc.oneof(segment, fc.constantFrom("/", "{", "}", "=", ":", ".", "", "é", " ", "id")),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          pieces.map((list) => list.join("")),
          fc.string(),
        ),
        (text) => {
          expect(outcomeOf(text)).toMatch(/^(parsed|refused by name)$/);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

/** What parsing a template comes to; where an error does not name it, what it says instead. */
function outcomeOf(template: string): string {
  try {
    return parseTemplate(template).segments.length > 0 ? "parsed" : "without segments";
  } catch (error) {
    const { message } = error as Error;
    return message.startsWith(`the path template ${template} `) ? "refused by name" : message;
  }
}

/** The rules of routing as they are told, without a trie: every route is tried. */
function findSlowly(routes: readonly Route[], path: readonly string[]): string | null {
  const matching = routes.filter(({ template }) => {
    const list = template.segments;
    const hasRest = list.at(-1)?.kind === "rest";
    const fixed = hasRest ? list.slice(0, -1) : list;
    if (hasRest ? path.length < fixed.length : path.length !== fixed.length) return false;
    return fixed.every(
      (each, index) => each.kind === "any" || (each.kind === "literal" && each.text === path[index]),
    );
  });
  const rank = ({ template }: Route, index: number): number => {
    const kind = template.segments[index]?.kind;
    return kind === undefined ? 0 : { literal: 1, any: 2, rest: 3 }[kind];
  };
  const sorted = matching.toSorted((a, b) => {
    for (let index = 0; index < 8; index += 1) {
      const difference = rank(a, index) - rank(b, index);
      if (difference !== 0) return difference;
    }
    return 0;
  });
  return sorted[0]?.owner ?? null;
}

test("the trie finds what trying every route finds", () => {
  const paths = fc.array(fc.constantFrom("a", "b", "c", "a-b", "v1", "x"), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(
      fc.uniqueArray(segments, { selector: (list) => list.join("/"), maxLength: 8 }),
      paths,
      (lists, path) => {
        const routes = lists.map((list): Route => {
          const text = `/${list.join("/")}`;
          return { httpMethod: "GET", template: parseTemplate(text), owner: text };
        });
        const match = matchPath(compileRoutes(routes), "GET", `/${path.join("/")}`);
        expect(match.kind === "found" ? match.route.owner : null).toBe(findSlowly(routes, path));
      },
    ),
    { numRuns: 2_000 },
  );
});

const text = fc.string({ unit: "grapheme", maxLength: 8 });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const seconds = fc.integer({ min: -62_135_596_800, max: 253_402_300_799 });
const nanos = fc.integer({ min: 0, max: 999_999_999 });

/** Requests of which a query or a form can hold every field. */
const searches: fc.Arbitrary<SearchBooksRequest> = fc
  .record(
    {
      author: fc.record({ displayName: text, age: fc.integer() }),
      tags: fc.array(text, { maxLength: 3 }),
      formats: fc.array(fc.constantFrom(Format.PAPER, Format.EBOOK, 7 as Format), { maxLength: 3 }),
      pageSize: fc.integer(),
      serial: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      available: fc.boolean(),
      since: fc.record({ seconds: seconds.map(BigInt), nanos }),
      loan: fc
        .integer({ min: 0, max: 300_000 })
        .chain((whole) => nanos.map((part) => ({ seconds: BigInt(whole), nanos: part }))),
      cover: fc.uint8Array({ maxLength: 5 }),
      rating: fc.double(),
      weight: fc.float(),
      offset: int64,
      exact: fc.boolean(),
      // A message without anything in it has no form in a query.
      also: fc.record({
        exact: fc.constant(true),
        pageSize: fc.integer(),
        tags: fc.array(text, { maxLength: 2 }),
      }),
      code: fc.record({ case: fc.constant("isbn" as const), value: text }),
    },
    { requiredKeys: [] },
  )
  .map((init) => create(SearchBooksRequestSchema, init));

/** The parameters of a JSON object: dotted names, one for each item of a list. */
function flatten(json: JsonObject, prefix = ""): [string, string][] {
  return Object.entries(json).flatMap(([name, value]): [string, string][] => {
    if (Array.isArray(value)) return value.map((item) => [prefix + name, asText(item)]);
    if (typeof value === "object" && value !== null) return flatten(value, `${prefix}${name}.`);
    return [[prefix + name, asText(value)]];
  });
}

function asText(value: JsonValue): string {
  if (typeof value === "string") return value;
  return Object.is(value, -0) ? "-0" : JSON.stringify(value);
}

describe("a message", () => {
  test.each([true, false])("comes back from a query as it was (proto names: %s)", (useProtoFieldName) => {
    fc.assert(
      fc.property(searches, (message) => {
        const json = toJson(SearchBooksRequestSchema, message, { useProtoFieldName }) as JsonObject;
        const query = new URLSearchParams(flatten(json)).toString();
        const found = bind("GET", `/books?${query}`) as SearchBooksRequest;
        expect(toJson(SearchBooksRequestSchema, found)).toEqual(toJson(SearchBooksRequestSchema, message));
      }),
      runs,
    );
  });

  test("is the same from a form and from JSON", () => {
    const signIn = fc.record({
      user_name: text.filter((each) => each !== ""),
      password: text,
      attempts: fc.integer(),
      scopes: fc.array(
        text.filter((each) => each !== ""),
        { maxLength: 3 },
      ),
    });
    fc.assert(
      fc.property(signIn, (fields) => {
        const body = JSON.stringify(fields);
        const form = new URLSearchParams(flatten(fields)).toString();
        expect(bind("POST", "/sign-in", { contentType: formType, body: form })).toEqual(
          bind("POST", "/sign-in", { contentType: jsonType, body }),
        );
      }),
      runs,
    );
  });
});

describe("decoding", () => {
  const anyText = fc.string({ unit: "grapheme" });

  test("takes back what encoding does", () => {
    fc.assert(
      fc.property(anyText, (each) => {
        expect(decodePercent(encodeURIComponent(each))).toBe(each);
        expect(decodePercentKeepingSlashes(encodeURIComponent(each))).toBe(each.replaceAll("/", "%2F"));
      }),
      runs,
    );
  });

  test("reads a form as URLSearchParams does, where that makes no mistake of it", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyText, anyText)), (pairs) => {
        const body = new URLSearchParams(pairs).toString();
        expect(parseForm(body)).toEqual([...new URLSearchParams(body)]);
      }),
      runs,
    );
  });
});

describe("header fields", () => {
  const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,8}$/);
  const quotable = fc.string({
    unit: fc.constantFrom("a", " ", ",", ";", "=", '"', "\\", "\t"),
    maxLength: 6,
  });
  const quote = (value: string): string => `"${value.replaceAll(/["\\]/g, "\\$&")}"`;
  const parameter = fc.tuple(
    token,
    fc.oneof(
      token.map((t) => [t, t]),
      quotable.map((q) => [q, quote(q)]),
    ),
  );

  test("a media type is parsed into what it was written from", () => {
    fc.assert(
      fc.property(token, token, fc.array(parameter, { maxLength: 3 }), (type, subtype, parameters) => {
        const written = parameters.map(([name, [, value]]) => `; ${name}=${value}`).join("");
        expect(parseMediaType(`${type}/${subtype}${written}`)).toEqual({
          type: type.toLowerCase(),
          subtype: subtype.toLowerCase(),
          parameters: parameters.map(([name, [value]]) => [name.toLowerCase(), value]),
        });
      }),
      runs,
    );
  });

  test("a list is split where it was joined", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(token, quotable.map(quote)), { minLength: 1 }), (items) => {
        expect(splitList(items.join(","))).toEqual(items);
      }),
      runs,
    );
  });

  test("the form of a stream is one with the greatest weight", () => {
    const formats: readonly StreamFormat[] = ["ndjson", "sse", "array"];
    const weights = fc.tuple(fc.nat(10), fc.nat(10), fc.nat(10));
    fc.assert(
      fc.property(weights, (tenths) => {
        const accept = formats.map(
          (format, index) => `${streamTypes[format]};q=${(tenths[index] ?? 0) / 10}`,
        );
        const greatest = Math.max(...tenths);
        const expected = greatest === 0 ? null : formats[tenths.indexOf(greatest)];
        expect(negotiateStream(accept.join(", "))).toBe(expected);
      }),
      runs,
    );
  });
});

test("a stream in any form is read back into its messages, and its failure told from them", () => {
  const messages = fc.array(fc.jsonValue(), { maxLength: 4 });
  const problem = { type: "about:blank", title: "T", status: 500, detail: "D." };
  fc.assert(
    fc.property(
      messages,
      fc.constantFrom<StreamFormat>("ndjson", "sse", "array"),
      fc.boolean(),
      (sent, format, fails) => {
        let next: JsonValue = null;
        const writer = createJsonStreamWriter(format, () => JSON.stringify(next));
        const chunks = sent.map((value) => {
          next = value as JsonValue;
          return writer.message(create(SearchBooksRequestSchema));
        });
        if (fails) chunks.push(writer.problem(problem) ?? new Uint8Array());
        chunks.push(writer.end());
        const failure = format === "sse" ? problem : { error: problem };
        const expected = JSON.parse(JSON.stringify(fails ? [...sent, failure] : sent)) as unknown;
        expect(readStream(format, Buffer.concat(chunks).toString())).toEqual(expected);
      },
    ),
    runs,
  );
});

/** As clients do: lines, events with an empty line behind them, or one JSON text. */
function readStream(format: StreamFormat, body: string): unknown[] {
  if (format === "array") return JSON.parse(body) as unknown[];
  const parts = body.split(format === "sse" ? "\n\n" : "\n").slice(0, -1);
  return parts.map((part) => JSON.parse(part.replace(/^(?:event: problem\n)?data: /, "")) as unknown);
}
