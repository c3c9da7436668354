import { describe, expect, test } from "@jest/globals";
import { decodeBase64, decodeBase64Url } from "../../src/lib/base64.ts";
import { lowerAscii, parseCredentials, trimOws } from "../../src/lib/http-text.ts";

describe("optional white space", () => {
  test.each([
    ["", ""],
    [" \t ", ""],
    ["\t a b \t", "a b"],
    ["\u00a0a\u00a0", "\u00a0a\u00a0"],
    ["\u000ba\u2028", "\u000ba\u2028"],
    ["\ufeffa", "\ufeffa"],
  ])("around %j leaves %j", (text, expected) => {
    expect(trimOws(text)).toBe(expected);
  });
});

test("letters beyond ASCII keep their case", () => {
  // KELVIN SIGN and I WITH DOT ABOVE become ASCII, and more than one character, where JavaScript folds them.
  expect(lowerAscii("BASIC \u212a \u0130 \u00c9")).toBe("basic \u212a \u0130 \u00c9");
});

describe("credentials", () => {
  test.each([
    [undefined, null],
    ["", null],
    ["Basic", { scheme: "basic", token68: "" }],
    ["  Basic   YTpi== ", { scheme: "basic", token68: "YTpi==" }],
    ["Bearer a.b_c-d~e+f/g", { scheme: "bearer", token68: "a.b_c-d~e+f/g" }],
    ["Bearer a b", { scheme: "bearer", token68: null }],
    ["Bearer a=b", { scheme: "bearer", token68: null }],
    ["Bearer \u00a0a", { scheme: "bearer", token68: null }],
    ["Bearer\u00a0a", null],
    ['Digest username="a"', { scheme: "digest", token68: null }],
    ["B\u212a x", null],
  ])("of %j are %j", (text, expected) => {
    expect(parseCredentials(text)).toEqual(expected);
  });
});

describe("base64", () => {
  test.each([
    ["", true, true],
    ["AA", true, false],
    ["AA==", false, true],
    ["AB", false, false],
    ["AB==", false, false],
    ["AAA", true, false],
    ["AAA=", false, true],
    ["AAAA", true, true],
    ["AAAA=", false, false],
    ["A", false, false],
    ["-_-_", true, false],
    ["+/+/", false, true],
    ["AA AA", false, false],
    ["AAAA\n", false, false],
    ["\u00a0AAAA", false, false],
    ["AAA\u0141", false, false],
  ])("%j is base64url: %p, base64: %p", (text, isUrl, isPlain) => {
    expect([decodeBase64Url(text) !== null, decodeBase64(text) !== null]).toEqual([isUrl, isPlain]);
  });
});
