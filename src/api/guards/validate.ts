import type { DescMessage, Message } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { createValidator, type Validator, type Violation } from "@bufbuild/protovalidate";
import type { Interceptor } from "@connectrpc/connect";
import { invalidFields } from "../../errors/invalid.ts";
import type { FieldCode } from "../../errors/field-codes.ts";

/** Checks every request message by the rules that stand in the proto (buf.validate). */
export function validate(): Interceptor {
  const validator = createValidator();
  return (next) => async (request) => {
    if (request.stream) {
      const message = checkEach(validator, request.method.input, request.message);
      return next({ ...request, message });
    }
    check(validator, request.method.input, request.message);
    return next(request);
  };
}

async function* checkEach(validator: Validator, schema: DescMessage, messages: AsyncIterable<Message>) {
  for await (const message of messages) {
    check(validator, schema, message);
    yield message;
  }
}

function check(validator: Validator, schema: DescMessage, message: Message): void {
  const result = validator.validate(schema, message);
  if (result.kind === "valid") return;
  if (result.kind === "error") throw result.error;
  const fields = result.violations.map((violation) => ({
    field: pathToString(violation.field),
    code: fieldCodeOf(violation.ruleId),
    detail: sentence(violation),
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

function sentence({ ruleId, message }: Violation): string {
  return ruleId === "required" ? "is required" : message.replace(/^value /, "");
}
