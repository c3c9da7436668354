import type { Rule as CelRule } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { type Rule, UnknownRule } from "./rule.ts";
import { compilePattern } from "./text-pattern.ts";

type Accepts = (text: string) => boolean;

// In the order in which the rules are looked at: that of their numbers in buf/validate/validate.proto.
const makers: Readonly<Record<string, (bound: never) => Rule[]>> = {
  const: (bound: string) => [rule("const", `must equal \`${bound}\``, (text) => text === bound)],
  len: (bound: bigint) => [
    rule("len", `must be ${bound} characters`, (text) => characters(text) === Number(bound)),
  ],
  min_len: (bound: bigint) => [
    rule("min_len", `must be at least ${bound} characters`, (text) => characters(text) >= Number(bound)),
  ],
  max_len: (bound: bigint) => {
    const max = Number(bound);
    // A character takes one or two places of a string.
    const accepts = (text: string) => text.length <= max || characters(text) <= max;
    return [rule("max_len", `must be at most ${bound} characters`, accepts)];
  },
  len_bytes: (bound: bigint) => [
    rule("len_bytes", `must be ${bound} bytes`, (text) => Buffer.byteLength(text) === Number(bound)),
  ],
  min_bytes: (bound: bigint) => [
    rule("min_bytes", `must be at least ${bound} bytes`, (text) => Buffer.byteLength(text) >= Number(bound)),
  ],
  max_bytes: (bound: bigint) => {
    const max = Number(bound);
    // A place of a string takes at most three bytes.
    const accepts = (text: string) => text.length * 3 <= max || Buffer.byteLength(text) <= max;
    return [rule("max_bytes", `must be at most ${bound} bytes`, accepts)];
  },
  pattern: (bound: string) => [
    rule("pattern", `does not match regex pattern \`${bound}\``, matches(requirePattern(bound))),
  ],
  prefix: (bound: string) => [
    rule("prefix", `does not have prefix \`${bound}\``, (text) => text.startsWith(bound)),
  ],
  suffix: (bound: string) => [
    rule("suffix", `does not have suffix \`${bound}\``, (text) => text.endsWith(bound)),
  ],
  contains: (bound: string) => [
    rule("contains", `does not contain substring \`${bound}\``, (text) => text.includes(bound)),
  ],
  not_contains: (bound: string) => [
    rule("not_contains", `contains substring \`${bound}\``, (text) => !text.includes(bound)),
  ],
  in: (bound: readonly string[]) => [
    rule("in", `must be in list [${bound.join(", ")}]`, (text) => bound.includes(text)),
  ],
  not_in: (bound: readonly string[]) => [
    rule("not_in", `must not be in list [${bound.join(", ")}]`, (text) => !bound.includes(text)),
  ],
  email: (bound: boolean) => (bound ? formRules("email", "email address", isEmail) : []),
  uuid: (bound: boolean) => (bound ? formRules("uuid", "UUID", matches(uuidForm)) : []),
  example: () => [],
};

const uuidForm = /^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/;
// HTML, section "Email state (type=email)": what browsers take.
const localForm = /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+$/;
const labelForm = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/;

/**
 * The rules of buf.validate.StringRules.
 *
 * @param set the rules that are set, by their proto names, in declared order
 * @throws UnknownRule
 */
export function textRules(set: ReadonlyMap<string, unknown>): Rule[] {
  return [...set].flatMap(([name, bound]) => {
    const make = makers[name];
    if (make === undefined) throw new UnknownRule(`string.${name}`);
    return make(bound as never);
  });
}

// A regular expression, or its opposite, is all that has a plain check.
const matchesForm = /^(!?)this\.matches\('((?:[^'\\]|\\[\\'])*)'\)$/;

/** A rule that the contract gives in CEL, for a text. @throws UnknownRule */
export function celTextRule({ id, message, expression }: CelRule): Rule {
  const [, not, text] = matchesForm.exec(expression) ?? [];
  if (text === undefined || id === "" || message === "") throw new UnknownRule(id);
  const accepts = matches(requirePattern(text.replaceAll(/\\(.)/g, "$1")));
  return { ruleId: id, message, accepts: not === "!" ? (value: string) => !accepts(value) : accepts };
}

function rule(name: string, message: string, accepts: Accepts): Rule {
  return { ruleId: `string.${name}`, message, accepts };
}

/** What is empty is told so, and nothing else. */
function formRules(name: string, noun: string, accepts: Accepts): Rule[] {
  return [
    rule(`${name}_empty`, `value is empty, which is not a valid ${noun}`, (text) => text !== ""),
    rule(name, `must be a valid ${noun}`, (text) => text === "" || accepts(text)),
  ];
}

function requirePattern(source: string): RegExp {
  const pattern = compilePattern(source);
  if (pattern === null) throw new UnknownRule(source);
  return pattern;
}

function matches(pattern: RegExp): Accepts {
  return (text) => pattern.test(text);
}

function isEmail(text: string): boolean {
  const at = text.indexOf("@");
  const labels = text.slice(at + 1).split(".");
  return at !== -1 && localForm.test(text.slice(0, at)) && labels.every((label) => labelForm.test(label));
}

/** Unicode code points. */
function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
