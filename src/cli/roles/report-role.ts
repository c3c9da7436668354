import type { Role } from "../../gen/countersign/v1/roles_pb.ts";
import type { Api } from "../calling/with-api.ts";
import { type CommandInput, hasOption, stringOption, stringOptions } from "../command.ts";
import { printJson, printLine } from "../output.ts";

/** The options for what a role says. */
export const contentOptions = {
  description: { value: "TEXT", help: "what it is for" },
  permission: { value: "PERMISSION", multiple: true, help: "a permission; can be given several times" },
  scope: { value: "SCOPE", multiple: true, help: "a scope of your APIs; can be given several times" },
} as const;

/** What was given of a role's content; what was not is empty. */
export function readContent(input: CommandInput) {
  return {
    description: stringOption(input, "description") ?? "",
    permissions: stringOptions(input, "permission"),
    scopes: stringOptions(input, "scope"),
  };
}

/** Prints what a command has done to a role. */
export function reportRole(api: Api, input: CommandInput, what: string, role: Role): void {
  if (hasOption(input, "json")) printJson(api.toJson(role));
  else printLine(`${what} the role ${role.name}`);
}
