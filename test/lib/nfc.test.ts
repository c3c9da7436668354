import { describe, expect, test } from "@jest/globals";
import { assert, constantFrom, array, property } from "fast-check";
import { normalizeNfc } from "../../src/lib/nfc.ts";

const bytesOf = (text: string): number => Buffer.byteLength(text);

/** Every character that is assigned and decomposes, and every mark: what NFC has anything to do with. */
const characters: readonly string[] = Array.from({ length: 0x11_0000 }, (_, code) => code)
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code))
  .filter((character) => character.normalize("NFD") !== character || isOrdered(character));

/** Whether it goes before a mark of the last class that it stands behind. */
function isOrdered(character: string): boolean {
  return !`\u0345${character}`.normalize("NFD").startsWith("\u0345");
}

/** The most bytes that each character of a decomposition can be written with. */
function longestSpellings(): ReadonlyMap<string, number> {
  const longest = new Map<string, number>();
  for (const character of [...characters, ...basic]) {
    const decomposed = character.normalize("NFD");
    longest.set(decomposed, Math.max(longest.get(decomposed) ?? 0, bytesOf(character)));
  }
  return longest;
}

/** What the decompositions are made of. */
const basic: readonly string[] = [
  ...new Set(characters.flatMap((character) => Array.from(character.normalize("NFD")))),
];

/** The most bytes that a text with this decomposition can have. */
function mostBytes(decomposed: string, longest: ReadonlyMap<string, number>): number {
  const parts = Array.from(decomposed);
  const most = [0];
  for (let end = 1; end <= parts.length; end += 1) {
    const choices = parts.slice(0, end).map((_part, start) => {
      const bytes = longest.get(parts.slice(start, end).join(""));
      return bytes === undefined ? 0 : (most[start] ?? 0) + bytes;
    });
    most.push(Math.max(...choices));
  }
  return most.at(-1) ?? 0;
}

describe("what the bounds of normalizeNfc rest on, in this version of Unicode:", () => {
  test("NFC makes no character's bytes fewer by a factor of more than four", () => {
    const longest = longestSpellings();
    let worst = 0;
    for (const decomposed of longest.keys()) {
      worst = Math.max(worst, mostBytes(decomposed, longest) / bytesOf(decomposed.normalize("NFC")));
    }
    expect(worst).toBe(3.5);
  });

  test("a decomposition has at most four characters", () => {
    expect(Math.max(...characters.map((character) => Array.from(character.normalize("NFD")).length))).toBe(4);
  });

  test("whatever is put in order is a mark", () => {
    const others = characters.filter((character) => isOrdered(character) && !/\p{M}/u.test(character));
    expect(others).toEqual([]);
  });
});

describe("normalizeNfc", () => {
  // Of letters, marks of several classes and sizes, vowel signs that are marks and starters at once, and what
  // composes and decomposes in unusual ways.
  const parts = constantFrom(
    ...Array.from(
      "aι\u1fbe\u212a\u0300\u0301\u0308\u0313\u0334\u0344\u0345\u0f71\u0f72\u0f73\u{1d165}\u{16ff0}",
    ),
    ...Array.from("\u0cc6\u0cc2\u0cd5\u0c46\u0c56\u09c7\u09be\u{114b9}\u{114ba}\u1100\u1161\u11a8가"),
  );

  test("is NFC for every text whose NFC is short enough, and null for every other", () => {
    assert(
      property(array(parts, { maxLength: 40 }), (chosen) => {
        const text = chosen.join("");
        const normal = text.normalize("NFC");
        expect(normalizeNfc(text, 24)).toBe(bytesOf(normal) <= 24 ? normal : null);
      }),
      { numRuns: 5_000 },
    );
  });

  test.each([
    ["letters", "x".repeat(1024)],
    ["one letter with 511 marks in the wrong order", `é${"\u0345".repeat(255)}${"\u0334".repeat(256)}`],
    ["the letters that shrink most", "\u1fbe\u0308\u0301".repeat(512)],
    ["vowel signs that are marks and compose in pairs", "\u0c46\u0c56".repeat(341)],
  ])("takes what has 1,024 bytes in the end: %s", (_what, text) => {
    expect(normalizeNfc(text, 1024)).toBe(text.normalize("NFC"));
  });

  test.each([
    ["letters", "x".repeat(1025)],
    ["one letter with 512 marks", `é${"\u0345".repeat(256)}${"\u0334".repeat(256)}`],
    ["nothing but marks", "\u0345".repeat(2048)],
  ])("refuses what has more: %s", (_what, text) => {
    expect(normalizeNfc(text, 1024)).toBeNull();
  });
});
