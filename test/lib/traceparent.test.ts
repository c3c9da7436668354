import { expect, test } from "@jest/globals";
import { assert, integer, property, string } from "fast-check";
import { formatTraceparent, parseTraceparent } from "../../src/lib/traceparent.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";

test.each([
  [`00-${traceId}-${spanId}-01`, 1],
  [`00-${traceId}-${spanId}-00`, 0],
  // Level 2: the trace id is random.
  [`00-${traceId}-${spanId}-03`, 3],
  // Flags that nobody knows yet are left out.
  [`00-${traceId}-${spanId}-ff`, 3],
  // A later version is read as far as it is known.
  [`01-${traceId}-${spanId}-01`, 1],
  [`cc-${traceId}-${spanId}-01-what-the-future-will-be-like`, 1],
  [`fe-${traceId}-${spanId}-01-`, 1],
])("%s is taken", (text, flags) => {
  expect(parseTraceparent(text)).toEqual({ traceId, spanId, flags });
});

test.each([
  ["", "nothing"],
  [traceId, "a trace id alone"],
  [`00-${traceId}-${spanId}`, "no flags"],
  [`00-${traceId}-${spanId}-1`, "flags of one digit"],
  [`00-${traceId}-${spanId}-001`, "flags of three digits"],
  [`00-${traceId}-${spanId}-01-more`, "more than version 00 has"],
  [`00-${traceId}-${spanId}-01-`, "a dash at its end"],
  [`01-${traceId}-${spanId}-01.more`, "a later version that goes on without a dash"],
  [`ff-${traceId}-${spanId}-01`, "the forbidden version"],
  [`0-${traceId}-${spanId}-01`, "a version of one digit"],
  [`00-${"0".repeat(32)}-${spanId}-01`, "a trace id of zeros"],
  [`00-${traceId}-${"0".repeat(16)}-01`, "a span id of zeros"],
  [`00-${traceId.toUpperCase()}-${spanId}-01`, "upper case"],
  [`00-${traceId.slice(1)}-${spanId}-01`, "a short trace id"],
  [`00-${traceId}0-${spanId}-01`, "a long trace id"],
  [`00-${traceId.replace("f", "g")}-${spanId}-01`, "a digit that is none"],
  [` 00-${traceId}-${spanId}-01`, "white space before"],
  [`00-${traceId}-${spanId}-01\n`, "a line's end"],
  [`00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`, "two lines"],
  [`00_${traceId}_${spanId}_01`, "other separators"],
])("%j is refused: %s", (text) => {
  expect(parseTraceparent(text)).toBeNull();
});

test("what is written is read back, and any other text is refused or the same place", () => {
  const hex = (length: number) =>
    integer({ min: 1, max: 2 ** 32 - 1 }).map((value) => value.toString(16).padStart(length, "0"));
  assert(
    property(hex(32), hex(16), integer({ min: 0, max: 3 }), (traceId, spanId, flags) => {
      const place = { traceId, spanId, flags };
      expect(parseTraceparent(formatTraceparent(place))).toEqual(place);
    }),
  );
  assert(
    property(string(), (text) => {
      expect(parseTraceparent(text)).toBeNull();
    }),
  );
});
