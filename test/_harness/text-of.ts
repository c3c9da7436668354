/** A member of an answer that must be a text. */
export function textOf(value: unknown): string {
  if (typeof value !== "string") throw new TypeError("The member is no text.");
  return value;
}
