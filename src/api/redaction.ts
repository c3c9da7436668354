import type { DescMessage } from "@bufbuild/protobuf";

const known = new WeakMap<DescMessage, boolean>();

/** Whether a message, or one inside it, has a field that the contract marks as secret (debug_redact). */
export function hasRedactedField(message: DescMessage): boolean {
  const answer = known.get(message);
  if (answer !== undefined) return answer;
  // Set first: a message may hold itself.
  known.set(message, false);
  const result = message.fields.some(
    (field) =>
      field.proto.options?.debugRedact === true ||
      (field.message !== undefined && hasRedactedField(field.message)),
  );
  known.set(message, result);
  return result;
}
