import type { JsonObject } from "@bufbuild/protobuf";
import { type CommandInput, stringOption, UsageError } from "../command.ts";

/** The options for what a user has beside a name, an address and roles. */
export const fieldOptions = {
  "display-name": { value: "TEXT", help: "the name to show to people" },
  locale: { value: "TAG", help: "the language that the user reads, such as en-GB" },
  claims: { value: "JSON", help: "an object of claims for the user's access tokens" },
} as const;

/** The claims that were given; undefined for none, and for an empty text. @throws UsageError */
export function readClaims(input: CommandInput): JsonObject | undefined {
  const text = stringOption(input, "claims") ?? "";
  if (text === "") return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  } catch {
    // As for JSON that is no object.
  }
  throw new UsageError("The claims must be a JSON object.");
}
