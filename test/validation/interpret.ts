import type { DescMessage, Message } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { createValidator } from "@bufbuild/protovalidate";
import type { Violation } from "../../src/validation/rule.ts";

const validator = createValidator();

/** What @bufbuild/protovalidate finds. */
export function interpret(desc: DescMessage, message: Message): readonly Violation[] {
  const result = validator.validate(desc, message);
  if (result.kind === "error") throw result.error;
  if (result.kind === "valid") return [];
  return result.violations.map(({ field, ruleId, message: text }) => {
    return { field: pathToString(field), ruleId, message: text };
  });
}
