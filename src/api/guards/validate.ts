import { invalidFields } from "../../errors/invalid.ts";
import type { FieldCode } from "../../errors/field-codes.ts";
import { createFinder } from "../../validation/finder.ts";
import type { Violation } from "../../validation/rule.ts";
import type { MakeGuard } from "./guard.ts";

/** Checks every request message by the rules that stand in the proto (buf.validate), which are compiled here. */
export const validate: MakeGuard = ({ input }) => {
  const finder = createFinder(input);
  if (finder.kind === "interpreted") {
    return { message: async (message) => refuse(await finder.find(message)) };
  }
  // Nothing is waited for where the rules are compiled.
  return {
    message(message) {
      refuse(finder.find(message));
      return undefined;
    },
  };
};

/** @throws AppError validation_failed, with each field that is wrong */
function refuse(violations: readonly Violation[]): void {
  if (violations.length === 0) return;
  const fields = violations.map(({ field, ruleId, message }) => ({
    field,
    code: fieldCodeOf(ruleId),
    detail: ruleId === "required" ? "is required" : message.replace(/^value /, ""),
  }));
  throw invalidFields(fields);
}

/** The rules that stand in the protos, by their ids. */
const codeByRule: ReadonlyMap<string, FieldCode> = new Map<string, FieldCode>([
  ["required", "required"],
  ["string.max_len", "too_long"],
  ["string.max_bytes", "too_long"],
  ["repeated.max_items", "too_many"],
  ["int32.gte_lte", "out_of_range"],
  ["username.characters", "bad_characters"],
  ["vschar", "bad_characters"],
]);

/** The code of what a rule refuses. @internal */
export function fieldCodeOf(ruleId: string): FieldCode {
  return codeByRule.get(ruleId) ?? "invalid";
}
