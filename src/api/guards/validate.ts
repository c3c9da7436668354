import type { DescMessage, DescMethod, Message } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { invalidFields } from "../../errors/invalid.ts";
import type { FieldCode } from "../../errors/field-codes.ts";
import { createFinders, type Finder } from "../../validation/finders.ts";
import type { Violation } from "../../validation/rule.ts";

/**
 * Checks every request message by the rules that stand in the proto (buf.validate).
 *
 * @param methods every RPC that can be called: their rules are compiled here, once
 */
export function validate(methods: Iterable<DescMethod>): Interceptor {
  const finders = createFinders(Array.from(methods, ({ input }) => input));
  const finderOf = (desc: DescMessage): Finder => {
    const finder = finders.get(desc);
    if (finder === undefined) throw new Error(`${desc.typeName} is no request of the table`);
    return finder;
  };
  return (next) => async (request) => {
    const { kind, find } = finderOf(request.method.input);
    if (request.stream) {
      return next({ ...request, message: checkEach(find, request.message) });
    }
    // Nothing is waited for where the rules are compiled.
    refuse(kind === "compiled" ? find(request.message) : await find(request.message));
    return next(request);
  };
}

async function* checkEach(find: Finder["find"], messages: AsyncIterable<Message>) {
  for await (const message of messages) {
    refuse(await find(message));
    yield message;
  }
}

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
