import { create } from "@bufbuild/protobuf";
import { Ignore, RuleSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { describe, expect, test } from "@jest/globals";
import { compileFinder } from "../../src/validation/finder.ts";
import { interpret } from "./interpret.ts";
import { type Field, messageWith, REPEATED, type Rules, string, text, type } from "./message-with.ts";

// The compiled rules report what @bufbuild/protovalidate reports: the same violations, in the same order.

const int32 = (value: object): Rules => ({ type: { case: "int32", value } });
const integer = { type: type.INT32 };
const strings = { type: type.STRING, label: REPEATED };
const texts = [
  "",
  "a",
  "ab",
  "abc",
  "abcd",
  "b",
  "\u00e9\u00e9\u00e9",
  "\u{1f426}\u{1f426}",
  "a\n",
  "\n",
  "ab1",
];
const integers = [-1, 0, 1, 2, 5, 9, 10, 11];

/** What the field has, its rules, and the values that it is tried with. */
const compiled: readonly (readonly [string, Field, Rules, readonly unknown[]])[] = [
  ["string.const", string, text({ const: "ab" }), texts],
  ["string.len", string, text({ len: 2n }), texts],
  ["string.min_len", string, text({ minLen: 2n }), texts],
  ["string.max_len", string, text({ maxLen: 2n }), texts],
  ["string.len_bytes", string, text({ lenBytes: 3n }), texts],
  ["string.min_bytes", string, text({ minBytes: 3n }), texts],
  ["string.max_bytes", string, text({ maxBytes: 3n }), texts],
  ["string.pattern", string, text({ pattern: "^[a-z]{1,3}$" }), texts],
  ["string.pattern without anchors", string, text({ pattern: "b" }), texts],
  ["string.prefix", string, text({ prefix: "ab" }), texts],
  ["string.suffix", string, text({ suffix: "b" }), texts],
  ["string.contains", string, text({ contains: "b" }), texts],
  ["string.not_contains", string, text({ notContains: "b" }), texts],
  ["string.in", string, text({ in: ["a", "b"] }), texts],
  ["string.not_in", string, text({ notIn: ["a", "b"] }), texts],
  [
    "string.email",
    string,
    text({ wellKnown: { case: "email", value: true } }),
    [
      "",
      "a",
      "a@",
      "@b",
      "a@b",
      "a@b.c",
      "a@-b",
      "a@b-",
      "a@b..c",
      "a@b@c",
      "a b@c",
      `a@${"b".repeat(64)}`,
      "\u00e9@b",
    ],
  ],
  [
    "string.uuid",
    string,
    text({ wellKnown: { case: "uuid", value: true } }),
    [
      "",
      "6f1c9a7e-3b0d-4c55-9a51-2f6f0c1d7e48",
      "6F1C9A7E-3B0D-4C55-9A51-2F6F0C1D7E48",
      "6f1c9a7e3b0d4c559a512f6f0c1d7e48",
    ],
  ],
  ["several, in their order", string, text({ in: ["abcd"], minLen: 9n, pattern: "^b", maxBytes: 1n }), texts],
  [
    "an expression before them",
    string,
    {
      ...text({ minLen: 3n }),
      cel: [create(RuleSchema, { id: "own", message: "must be a", expression: "this.matches('^a*$')" })],
    },
    texts,
  ],
  [
    "an expression of what must not be",
    string,
    {
      cel: [
        create(RuleSchema, {
          id: "own",
          message: "no line",
          expression: "!this.matches('[\\\\x00-\\\\x1f]')",
        }),
      ],
    },
    texts,
  ],
  ["required", string, { required: true }, texts],
  ["required before the others", string, { required: true, ...text({ minLen: 3n }) }, texts],
  ["ignore if zero", string, { ignore: Ignore.IF_ZERO_VALUE, ...text({ minLen: 3n }) }, texts],
  ["ignore always", string, { ignore: Ignore.ALWAYS, required: true, ...text({ minLen: 3n }) }, texts],
  ["presence", { ...string, proto3Optional: true, oneofIndex: 0 }, text({ minLen: 3n }), texts],
  ["required presence", { ...string, proto3Optional: true, oneofIndex: 0 }, { required: true }, texts],
  ["int32.const", integer, int32({ const: 2 }), integers],
  ["int32.gt", integer, int32({ greaterThan: { case: "gt", value: 1 } }), integers],
  ["int32.lte", integer, int32({ lessThan: { case: "lte", value: 1 } }), integers],
  [
    "int32.gte and lt",
    integer,
    int32({ greaterThan: { case: "gte", value: 1 }, lessThan: { case: "lt", value: 10 } }),
    integers,
  ],
  [
    "int32 outside of a range",
    integer,
    int32({ greaterThan: { case: "gt", value: 9 }, lessThan: { case: "lte", value: 1 } }),
    integers,
  ],
  ["int32.in and not_in", integer, int32({ in: [1, 2, 5], notIn: [5, 9] }), integers],
  [
    "int64",
    { type: type.INT64 },
    { type: { case: "int64", value: { greaterThan: { case: "gte", value: 2n }, in: [5n] } } },
    integers.map(BigInt),
  ],
  ["uint32", { type: type.UINT32 }, { type: { case: "uint32", value: { in: [2] } } }, [0, 1, 2]],
  ["bool.const", { type: type.BOOL }, { type: { case: "bool", value: { const: true } } }, [true, false]],
  [
    "enum.defined_only",
    { type: type.ENUM, typeName: ".test.Color" },
    { type: { case: "enum", value: { definedOnly: true, in: [5], notIn: [7] } } },
    [0, 5, 7],
  ],
  [
    "bytes",
    { type: type.BYTES },
    { type: { case: "bytes", value: { minLen: 2n, maxLen: 3n, len: 3n } } },
    [0, 1, 2, 3, 4].map((length) => new Uint8Array(length)),
  ],
  [
    "repeated",
    strings,
    {
      type: {
        case: "repeated",
        value: {
          minItems: 1n,
          maxItems: 3n,
          unique: true,
          items: { type: { case: "string", value: { maxLen: 2n } } },
        },
      },
    },
    [[], ["a"], ["abc", "b"], ["a", "a"], ["a", "b", "c", "dddd"]],
  ],
  [
    "map",
    { type: type.STRING, typeName: ".test.Holder.ValueEntry", label: REPEATED },
    {
      type: {
        case: "map",
        value: {
          minPairs: 1n,
          maxPairs: 2n,
          keys: { type: { case: "string", value: { maxLen: 2n } } },
          values: { type: { case: "string", value: { minLen: 1n } } },
        },
      },
    },
    [{}, { a: "b" }, { abc: "" }, { 'q"\\': "x", "a\nbc": "y", c: "" }],
  ],
];

describe("the rule", () => {
  test.each(compiled)("%s is compiled, and finds the same", (_name, field, rules, values) => {
    const desc = messageWith(field, rules);
    const find = compileFinder(desc);
    if (find === null) throw new Error("it has no plain check");
    const found = [undefined, ...values].map((value) => {
      const message = create(desc, value === undefined ? {} : { value });
      const violations = find(message);
      expect(violations).toEqual(interpret(desc, message));
      return violations.length;
    });
    // The values tell the rule from none, unless it is switched off.
    expect(Math.max(...found) > 0).toBe(rules.ignore !== Ignore.ALWAYS);
  });

  test.each<[string, Field, Rules]>([
    ["of a web address", string, text({ wellKnown: { case: "uri", value: true } })],
    ["of a pattern that could take long", string, text({ pattern: "^(a+)+$" })],
    ["of a pattern with a choice", string, text({ pattern: "^(a|b)$" })],
    [
      "in CEL that is no regular expression",
      string,
      { cel: [create(RuleSchema, { id: "a", message: "b", expression: "this == 'x'" })] },
    ],
    [
      "in CEL without a message",
      string,
      { cel: [create(RuleSchema, { id: "a", expression: "this.matches('a')" })] },
    ],
    ["in CEL without an id", string, { celExpression: ["this.matches('a')"] }],
    ["of a float", { type: type.FLOAT }, { type: { case: "float", value: { finite: true } } }],
    ["of a map's integer", string, { type: { case: "int32", value: { const: 1 } } }],
    [
      "with a condition for items",
      strings,
      { type: { case: "repeated", value: { items: { ignore: Ignore.IF_ZERO_VALUE } } } },
    ],
  ])("%s is left to protovalidate", (_name, field, rules) => {
    expect(compileFinder(messageWith(field, rules))).toBeNull();
  });
});
