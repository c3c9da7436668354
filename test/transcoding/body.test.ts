import { create } from "@bufbuild/protobuf";
import type { JsonObject, MessageInitShape } from "@bufbuild/protobuf";
import { NullValue } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "@jest/globals";
import { createTranscoder } from "../../src/transcoding/transcoder.ts";
import { bind, bindTo, formType, jsonType, post, refusal, serviceWith } from "./demo.ts";
import { BookSchema, Format, SignInRequestSchema, TagBookRequestSchema } from "./gen/demo_pb.ts";

const json = (body: string) => ({ contentType: jsonType, body });
const form = (body: string) => ({ contentType: formType, body });
const notValid = (field: string) => `400 The field ${field} does not hold a valid value.`;
const unknownMember = "400 The body has a member that the request does not know.";

describe("JSON bodies", () => {
  const readable: [string, MessageInitShape<typeof BookSchema>][] = [
    ["{}", {}],
    ["\ufeff{}", {}],
    ['{"title": "a\\u00e9\\ud83d\\ude00"}', { title: "aé😀" }],
    ['{"title": "\\\\ud800"}', { title: "\\ud800" }],
    ['{"title": null, "tags": null, "author": null, "subtitle": null, "roles": null}', {}],
    ['{"size_bytes": "5", "pages": "7"}', { sizeBytes: 5n, pages: 7 }],
    ['{"sizeBytes": 5, "pages": 7.0, "copies": 1e2}', { sizeBytes: 5n, pages: 7, copies: 100 }],
    ['{"serial": "18446744073709551615"}', { serial: 18446744073709551615n }],
    ['{"rating": "Infinity", "price": -0.5}', { rating: Number.POSITIVE_INFINITY, price: -0.5 }],
    ['{"available": true, "format": "FORMAT_PAPER"}', { available: true, format: Format.PAPER }],
    ['{"format": 2, "cover": "-_8"}', { format: Format.EBOOK, cover: new Uint8Array([0xfb, 0xff]) }],
    ['{"tags": ["a", ""], "editors": [{"age": 3}, {}]}', { tags: ["a", ""], editors: [{ age: 3 }, {}] }],
    [
      '{"bought_at": "2024-01-01T00:00:00Z", "loan": "3s"}',
      { boughtAt: { seconds: 1704067200n }, loan: { seconds: 3n } },
    ],
    ['{"subtitle": "", "edition": 2}', { subtitle: "", edition: 2 }],
    [
      '{"extra": {"a": [null, {"__proto__": 1}]}}',
      { extra: JSON.parse('{"a": [null, {"__proto__": 1}]}') as JsonObject },
    ],
    [
      '{"roles": {"x": {"display_name": "A"}}, "counts": {"y": 1}}',
      { roles: { x: { displayName: "A" } }, counts: { y: 1 } },
    ],
    ['{"isbn": "x", "issn": null}', { code: { case: "isbn", value: "x" } }],
    ['{"sequel": {"sequel": {"title": "3"}}}', { sequel: { sequel: { title: "3" } } }],
    ['{"note": null}', { note: { kind: { case: "nullValue", value: NullValue.NULL_VALUE } } }],
  ];
  test.each(readable)("%s", (body, expected) => {
    expect(bind("POST", "/books", json(body))).toEqual(create(BookSchema, expected));
  });

  test.each([
    ["{", "400 The body is not well-formed JSON."],
    ["{'a': 1}", "400 The body is not well-formed JSON."],
    ["{} x", "400 The body is not well-formed JSON."],
    [" ", "400 The body is not well-formed JSON."],
    ["NaN", "400 The body is not well-formed JSON."],
    ["[".repeat(100_000), "400 The body is not well-formed JSON."],
    ["null", "400 The body must be a JSON object."],
    ["[]", "400 The body must be a JSON object."],
    ["1", "400 The body must be a JSON object."],
    ['"{}"', "400 The body must be a JSON object."],
    [`{"extra": {"a": ${"[".repeat(99)}${"]".repeat(99)}}}`, "400 The body is nested too deeply."],
    [`${"[".repeat(500_000)}${"]".repeat(500_000)}`, "400 The body is nested too deeply."],
    ['{"title": "a", "title": "a"}', "400 The body has a member twice."],
    ['{"title": "a", "t\\u0069tle": "b"}', "400 The body has a member twice."],
    ['{"extra": {"a": [{"b": {}, "b": 1}]}}', "400 The body has a member twice."],
    ['{"size_bytes": 1, "sizeBytes": 1}', "400 The field size_bytes is given twice."],
    ['{"sizeBytes": null, "size_bytes": 1}', "400 The field size_bytes is given twice."],
    [
      '{"author": {"displayName": "", "display_name": ""}}',
      "400 The field author.display_name is given twice.",
    ],
    ['{"title": "\\ud800"}', "400 The body holds text that is not Unicode."],
    ['{"extra": {"\\udc00": 1}}', "400 The body holds text that is not Unicode."],
    ['{"nope": 1}', unknownMember],
    ['{"__proto__": {"title": "x"}}', unknownMember],
    ['{"constructor": 1}', unknownMember],
    ['{"author": {"nope": 1}}', unknownMember],
    ['{"[demo.v1.ext]": 1}', unknownMember],
    ['{"title": 1}', notValid("title")],
    ['{"title": ["a"]}', notValid("title")],
    ['{"pages": "x"}', notValid("pages")],
    ['{"pages": ""}', notValid("pages")],
    ['{"pages": 1.5}', notValid("pages")],
    ['{"pages": 2147483648}', notValid("pages")],
    ['{"pages": true}', notValid("pages")],
    ['{"copies": -1}', notValid("copies")],
    ['{"size_bytes": 9007199254740993}', notValid("size_bytes")],
    ['{"size_bytes": "0x10"}', notValid("size_bytes")],
    ['{"rating": 1e39}', notValid("rating")],
    ['{"price": "1,5"}', notValid("price")],
    ['{"price": 1e999}', notValid("price")],
    ['{"available": "true"}', notValid("available")],
    ['{"cover": "a b="}', notValid("cover")],
    ['{"format": "nope"}', notValid("format")],
    ['{"format": 1.5}', notValid("format")],
    ['{"bought_at": 5}', notValid("bought_at")],
    ['{"subtitle": {}}', notValid("subtitle")],
    ['{"edition": "x"}', notValid("edition")],
    ['{"extra": []}', notValid("extra")],
    ['{"extra": {"a": [1e999]}}', notValid("extra")],
    ['{"note": -1e999}', notValid("note")],
    ['{"tags": "a"}', "400 The field tags must be a JSON array."],
    ['{"tags": [null]}', notValid("tags")],
    ['{"editors": [{"age": "x"}]}', notValid("editors.age")],
    ['{"editors": [null]}', notValid("editors")],
    ['{"author": []}', "400 The field author must be a JSON object."],
    ['{"roles": []}', "400 The field roles must be a JSON object."],
    ['{"roles": {"secret": {"age": "x"}}}', notValid("roles.age")],
    ['{"counts": {"secret": null}}', notValid("counts")],
    ['{"isbn": "a", "issn": "b"}', "400 Only one of the fields of code may be given."],
  ])("%.70s is refused", (body, expected) => {
    expect(refusal(() => bind("POST", "/books", json(body)))).toBe(expected);
  });

  test("bytes that are not UTF-8 are refused", () => {
    const body = new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]);
    expect(refusal(() => bind("POST", "/books", { contentType: jsonType, body }))).toBe(
      "400 The body is not UTF-8.",
    );
  });

  test("deep nesting is taken up to the limit, also where the message holds itself", () => {
    const nested = (depth: number) => `${'{"sequel":'.repeat(depth - 1)}{}${"}".repeat(depth - 1)}`;
    expect(refusal(() => bind("POST", "/books", json(nested(100))))).toBe("nothing was refused");
    expect(refusal(() => bind("POST", "/books", json(nested(101))))).toBe(
      "400 The body is nested too deeply.",
    );
    const opaque = `{"note": ${"[".repeat(99)}${"]".repeat(99)}}`;
    expect(refusal(() => bind("POST", "/books", json(opaque)))).toBe("nothing was refused");
  });
});

describe("a body that fills one field", () => {
  test("holds that field's JSON", () => {
    expect(bind("POST", "/books/7:tag", json('["a", "b"]'))).toEqual(
      create(TagBookRequestSchema, { id: "7", tags: ["a", "b"] }),
    );
    expect(bind("POST", "/books/7:tag", json("null"))).toEqual(create(TagBookRequestSchema, { id: "7" }));
    expect(bind("PATCH", "/shelves/s/books/7", json('{"title": "x"}'))).toMatchObject({
      id: "7",
      book: { title: "x" },
    });
  });

  test("may be a form where the field is a message", () => {
    expect(bind("PATCH", "/shelves/s/books/7", form("title=x&author.age=3"))).toMatchObject({
      book: { title: "x", author: { age: 3 } },
    });
    expect(refusal(() => bind("PATCH", "/shelves/s/books/7", form("pages=x")))).toBe(notValid("book.pages"));
    expect(refusal(() => bind("POST", "/books/7:tag", form("tags=x")))).toBe(
      "415 The content type must be application/json.",
    );
  });

  test("names its place when it is wrong", () => {
    expect(refusal(() => bind("POST", "/books/7:tag", json("[1]")))).toBe(notValid("tags"));
    expect(refusal(() => bind("POST", "/books/7:tag", json("{}")))).toBe(
      "400 The field tags must be a JSON array.",
    );
    expect(refusal(() => bind("PATCH", "/shelves/s/books/7", json('{"author": {"age": {}}}')))).toBe(
      notValid("book.author.age"),
    );
  });
});

describe("a path variable within the body's message", () => {
  test("is filled by the path", () => {
    expect(bind("PUT", "/books/7", json('{"book": {"title": "x"}}'))).toMatchObject({
      book: { id: "7", title: "x" },
    });
    expect(bind("PUT", "/books/7", json("{}"))).toMatchObject({ book: { id: "7" } });
  });

  test("may be repeated in the body, but not contradicted", () => {
    expect(bind("PUT", "/books/7", json('{"book": {"id": "7"}}'))).toMatchObject({ book: { id: "7" } });
    expect(refusal(() => bind("PUT", "/books/7", json('{"book": {"id": "8"}}')))).toBe(
      "400 The field book.id has one value in the path and another in the body.",
    );
  });
});

describe("forms", () => {
  test("are read as parameters", () => {
    expect(bind("POST", "/books", form("title=a+b%26c&pages=3&tags=x&tags=y&author.age=4"))).toEqual(
      create(BookSchema, { title: "a b&c", pages: 3, tags: ["x", "y"], author: { age: 4 } }),
    );
    expect(bind("POST", "/books", form("title=é"))).toMatchObject({ title: "é" });
    expect(bind("POST", "/books", form("title=a=b"))).toMatchObject({ title: "a=b" });
  });

  test.each([
    ["title=%", "400 The form is not well-formed."],
    ["title=%C3", "400 The form is not well-formed."],
    ["title=a&title=a", "400 The field title is given twice."],
    ["nope=a", "400 The request has a parameter that is not known."],
    ["pages=a", notValid("pages")],
  ])("%s is refused", (body, expected) => {
    expect(refusal(() => bind("POST", "/books", form(body)))).toBe(expected);
  });
});

describe("messages by RFC 6749 section 3.2", () => {
  test.each([
    ["form", "user_name=a&password=b&nope=c&user.x=d&attempts=&scopes=&scopes=e"],
    ["form", "userName=a&user_name=&password=b&scopes=e&nope=1&nope=2"],
    ["json", '{"user_name": "a", "password": "b", "nope": {"x": 1}, "attempts": "", "scopes": ["e"]}'],
  ])("a %s ignores unknown and empty parameters", (format, body) => {
    expect(bind("POST", "/sign-in", format === "form" ? form(body) : json(body))).toEqual(
      create(SignInRequestSchema, { userName: "a", password: "b", scopes: ["e"] }),
    );
  });

  test.each([
    [form("password=a&password=b"), "400 The field password is given twice."],
    [form("user_name=a&userName=a"), "400 The field user_name is given twice."],
    [form("attempts=x"), notValid("attempts")],
    [json('{"password": "a", "password": "b"}'), "400 The body has a member twice."],
    [json('{"nope": 1, "nope": 2}'), "400 The body has a member twice."],
    [json('{"password": 1}'), notValid("password")],
  ])("%p is refused", (call, expected) => {
    expect(refusal(() => bind("POST", "/sign-in", call))).toBe(expected);
  });
});

describe("the body's headers", () => {
  const unsupported = "415 The content type must be application/json or application/x-www-form-urlencoded.";
  const charset = "415 The charset must be utf-8.";
  const ok = "nothing was refused";
  test.each([
    ["application/json", ok],
    ["Application/JSON", ok],
    [" application/json ; charset=UTF-8 ", ok],
    ['application/json;charset="utf-8"', ok],
    ["application/json;", ok],
    ["application/json;;profile=x", ok],
    ['application/json;p="a\\";b"', ok],
    ["application/json; charset=latin1", charset],
    ["application/json; charset=utf-8; charset=utf-16", charset],
    ["application/json; charset=", unsupported],
    ["application/json; charset", unsupported],
    ["application/json; charset = utf-8", unsupported],
    ['application/json; p="x', unsupported],
    ["application/json, text/plain", unsupported],
    ["application/json/x", unsupported],
    ["application/problem+json", unsupported],
    ["application/merge-patch+json", unsupported],
    ["multipart/form-data; boundary=x", unsupported],
    ["text/plain", unsupported],
    ["json", unsupported],
    ["*/*", unsupported],
    ["", unsupported],
    ["\u0000", unsupported],
    [";".repeat(50_000), unsupported],
  ])("content type %.60p: %s", (contentType, expected) => {
    expect(refusal(() => bind("POST", "/books", { contentType, body: "{}" }))).toBe(expected);
  });

  test.each([
    ["application/x-www-form-urlencoded; charset=utf-8", ok],
    ["application/x-www-form-urlencoded; charset=iso-8859-1", charset],
  ])("content type %p: %s", (contentType, expected) => {
    expect(refusal(() => bind("POST", "/books", { contentType, body: "title=x" }))).toBe(expected);
  });

  test.each([
    ["identity", ok],
    ["Identity", ok],
    ["", ok],
    ["gzip", "415 The content encoding must be identity."],
    ["identity, gzip", "415 The content encoding must be identity."],
  ])("content encoding %p: %s", (contentEncoding, expected) => {
    expect(refusal(() => bind("POST", "/books", { ...json("{}"), contentEncoding }))).toBe(expected);
  });

  test("a body is required where the binding has one", () => {
    const required = "400 The body is required.";
    expect(refusal(() => bind("POST", "/books"))).toBe(required);
    expect(refusal(() => bind("POST", "/books", json("")))).toBe(required);
    expect(refusal(() => bind("POST", "/books", form("")))).toBe(required);
    expect(refusal(() => bind("POST", "/books", { contentType: "text/plain" }))).toBe(unsupported);
    expect(refusal(() => bind("POST", "/books", { body: "{}" }))).toBe("415 The content type is missing.");
  });

  test("a body may be empty where the method says so", () => {
    const service = serviceWith({ rpc: "A", rule: post("/a/{id}", "*") });
    const transcoder = createTranscoder({ services: [service], isBodyOptional: () => true });
    expect(bindTo(transcoder, "POST", "/a/7")).toMatchObject({ id: "7" });
    expect(bindTo(transcoder, "POST", "/a/7", json('{"title": "x"}'))).toMatchObject({ title: "x" });
  });

  test("a body is not looked at where the binding has none", () => {
    expect(bind("DELETE", "/books/7", { contentType: "text/plain", body: "x" })).toMatchObject({ id: "7" });
  });
});
