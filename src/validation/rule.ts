import type { DescMessage, Message } from "@bufbuild/protobuf";

/** One way in which a message breaks its rules. */
export interface Violation {
  /** The path of the field in proto names: `types[3]`, `labels["a"].value`. */
  readonly field: string;
  /** The rule's id: `string.max_len`, or the id of a rule of the contract's own. */
  readonly ruleId: string;
  /** What the rule says, as buf.validate words it. */
  readonly message: string;
}

/** A rule for one value: its bounds are read, and its message is worded, once. */
export interface Rule {
  readonly ruleId: string;
  readonly message: string;
  readonly accepts: (value: never) => boolean;
}

/** A rule that has no plain check. It never leaves this folder: the message goes to the interpreter instead. */
export class UnknownRule extends Error {
  override readonly name = "UnknownRule";
}

/** Reports each rule that a value breaks, in their order. */
export type ValueCheck = (value: unknown, path: string, found: Violation[]) => void;

/** Reports what is wrong with a message. @param prefix the message's path, with its last dot */
export type MessageCheck = (message: Message, prefix: string, found: Violation[]) => void;

/** Gives each message its check, null where there is nothing to check. */
export type CheckOf = (desc: DescMessage) => MessageCheck | null;

/** @returns null if there is nothing to check */
export function checkRules(rules: readonly Rule[]): ValueCheck | null {
  if (rules.length === 0) return null;
  return (value, path, found) => {
    for (const { ruleId, message, accepts } of rules) {
      if (!accepts(value as never)) found.push({ field: path, ruleId, message });
    }
  };
}

/** @returns null if there is nothing to check */
export function checkAll(checks: readonly (ValueCheck | null)[]): ValueCheck | null {
  const some = checks.filter((check) => check !== null);
  if (some.length < 2) return some[0] ?? null;
  return (value, path, found) => {
    for (const check of some) check(value, path, found);
  };
}
