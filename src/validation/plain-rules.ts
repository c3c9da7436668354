import type { DescEnum } from "@bufbuild/protobuf";
import { type Rule, UnknownRule } from "./rule.ts";

type Rules = ReadonlyMap<string, unknown>;
type Integer = number | bigint;

/**
 * The rules of the integer types of buf.validate.
 *
 * @param type its name in FieldRules: `int32`
 * @param set the rules that are set, by their proto names
 * @throws UnknownRule
 */
export function integerRules(type: string, set: Rules): Rule[] {
  requireKnown(type, set, ["const", "lt", "lte", "gt", "gte", "in", "not_in", "example"]);
  return [...constRule(type, set, String), ...rangeRule(type, set), ...listRules(type, set)];
}

/** The rules of buf.validate.BoolRules. @throws UnknownRule */
export function boolRules(set: Rules): Rule[] {
  requireKnown("bool", set, ["const", "example"]);
  return constRule("bool", set, String);
}

/** The rules of buf.validate.EnumRules. @throws UnknownRule */
export function enumRules(desc: DescEnum, set: Rules): Rule[] {
  requireKnown("enum", set, ["const", "defined_only", "in", "not_in", "example"]);
  const numbers = new Set(desc.values.map(({ number }) => number));
  const definedOnly: Rule = {
    ruleId: "enum.defined_only",
    message: "value must be one of the defined enum values",
    accepts: (value: number) => numbers.has(value),
  };
  return [
    ...(set.get("defined_only") === true ? [definedOnly] : []),
    ...constRule("enum", set, String),
    ...listRules("enum", set),
  ];
}

/** The rules of buf.validate.BytesRules. @throws UnknownRule */
export function bytesRules(set: Rules): Rule[] {
  requireKnown("bytes", set, ["len", "min_len", "max_len", "example"]);
  return sizeRules("bytes", set, ({ length }: Uint8Array) => length, [
    ["len", (bound) => `must be ${bound} bytes`, (size, bound) => size === bound],
    ["min_len", (bound) => `must be at least ${bound} bytes`, (size, bound) => size >= bound],
    ["max_len", (bound) => `must be at most ${bound} bytes`, (size, bound) => size <= bound],
  ]);
}

/**
 * The rules of buf.validate.RepeatedRules for the list itself.
 *
 * @param comparable whether the items are equal where `===` says so
 * @throws UnknownRule
 */
export function listSizeRules(set: Rules, comparable: boolean): Rule[] {
  requireKnown("repeated", set, ["min_items", "max_items", "items", ...(comparable ? ["unique"] : [])]);
  const unique: Rule = {
    ruleId: "repeated.unique",
    message: "repeated value must contain unique items",
    accepts: (list: readonly unknown[]) => new Set(list).size === list.length,
  };
  return [
    ...sizeRules("repeated", set, ({ length }: readonly unknown[]) => length, [
      ["min_items", (bound) => `must contain at least ${bound} item(s)`, (size, bound) => size >= bound],
      ["max_items", (bound) => `must contain no more than ${bound} item(s)`, (size, bound) => size <= bound],
    ]),
    ...(set.get("unique") === true ? [unique] : []),
  ];
}

/** The rules of buf.validate.MapRules for the map itself. @throws UnknownRule */
export function mapSizeRules(set: Rules): Rule[] {
  requireKnown("map", set, ["min_pairs", "max_pairs", "keys", "values"]);
  return sizeRules("map", set, (map: object) => Object.keys(map).length, [
    ["min_pairs", (bound) => `map must be at least ${bound} entries`, (size, bound) => size >= bound],
    ["max_pairs", (bound) => `map must be at most ${bound} entries`, (size, bound) => size <= bound],
  ]);
}

function requireKnown(type: string, set: Rules, known: readonly string[]): void {
  for (const name of set.keys()) {
    if (!known.includes(name)) throw new UnknownRule(`${type}.${name}`);
  }
}

type SizeRule = readonly [
  name: string,
  message: (bound: number) => string,
  accepts: (size: number, bound: number) => boolean,
];

function sizeRules(
  type: string,
  set: Rules,
  sizeOf: (value: never) => number,
  rules: readonly SizeRule[],
): Rule[] {
  return rules
    .filter(([name]) => set.has(name))
    .map(([name, message, accepts]) => {
      const bound = Number(set.get(name));
      return {
        ruleId: `${type}.${name}`,
        message: message(bound),
        accepts: (value: never) => accepts(sizeOf(value), bound),
      };
    });
}

function constRule(type: string, set: Rules, format: (bound: unknown) => string): Rule[] {
  if (!set.has("const")) return [];
  const bound = set.get("const");
  const accepts = (value: unknown) => value === bound;
  return [{ ruleId: `${type}.const`, message: `must equal ${format(bound)}`, accepts }];
}

function listRules(type: string, set: Rules): Rule[] {
  const one = set.get("in") as readonly unknown[] | undefined;
  const none = set.get("not_in") as readonly unknown[] | undefined;
  const rules: Rule[] = [];
  if (one !== undefined) {
    const message = `must be in list [${one.join(", ")}]`;
    rules.push({ ruleId: `${type}.in`, message, accepts: (value: unknown) => one.includes(value) });
  }
  if (none !== undefined) {
    const message = `must not be in list [${none.join(", ")}]`;
    rules.push({ ruleId: `${type}.not_in`, message, accepts: (value: unknown) => !none.includes(value) });
  }
  return rules;
}

/** A bound of a range: how it is named and worded, and what keeps to it. */
interface Bound {
  readonly kind: string;
  readonly words: string;
  readonly value: Integer;
  readonly accepts: (value: Integer) => boolean;
}

/** One rule for both bounds. Where the lower one is above the upper one, what lies between them is refused. */
function rangeRule(type: string, set: Rules): Rule[] {
  const lower = boundOf(set, ["gt", "gte"]);
  const upper = boundOf(set, ["lt", "lte"]);
  if (lower === undefined || upper === undefined) {
    const only = lower ?? upper;
    if (only === undefined) return [];
    return [{ ruleId: `${type}.${only.kind}`, message: `must be ${only.words}`, accepts: only.accepts }];
  }
  const inside = upper.value >= lower.value;
  return [
    {
      ruleId: `${type}.${lower.kind}_${upper.kind}${inside ? "" : "_exclusive"}`,
      message: `must be ${lower.words} ${inside ? "and" : "or"} ${upper.words}`,
      accepts: inside
        ? (value: Integer) => lower.accepts(value) && upper.accepts(value)
        : (value: Integer) => lower.accepts(value) || upper.accepts(value),
    },
  ];
}

const bounds: Readonly<Record<string, (bound: Integer) => Omit<Bound, "kind" | "value">>> = {
  gt: (bound) => ({ words: `greater than ${bound}`, accepts: (value) => value > bound }),
  gte: (bound) => ({ words: `greater than or equal to ${bound}`, accepts: (value) => value >= bound }),
  lt: (bound) => ({ words: `less than ${bound}`, accepts: (value) => value < bound }),
  lte: (bound) => ({ words: `less than or equal to ${bound}`, accepts: (value) => value <= bound }),
};

function boundOf(set: Rules, kinds: readonly string[]): Bound | undefined {
  for (const kind of kinds) {
    const value = set.get(kind) as Integer | undefined;
    const bound = value === undefined ? undefined : bounds[kind]?.(value);
    if (value !== undefined && bound !== undefined) return { kind, value, ...bound };
  }
  return undefined;
}
