import type { User } from "./user.ts";
import type { UserContent } from "./user-content.ts";

const names: Readonly<Record<keyof UserContent, string>> = {
  username: "username",
  email: "email",
  displayName: "display_name",
  locale: "locale",
  roles: "roles",
  claims: "claims",
};

/**
 * What a change was of, for the audit trail: the names of the fields that were set, and of the roles that were given
 * and taken: `email roles+support roles-desk`. It holds no value of the user's.
 */
export function describeChange(before: Pick<User, "roles">, changes: Partial<UserContent>): string {
  return (Object.keys(names) as (keyof UserContent)[])
    .filter((name) => name in changes)
    .flatMap((name) => (name === "roles" ? describeRoles(before.roles, changes.roles ?? []) : names[name]))
    .join(" ");
}

/** @param before the roles of a user @param after those that the user has from now on */
export function describeRoles(before: readonly string[], after: readonly string[]): string[] {
  const given = after.filter((name) => !before.includes(name)).map((name) => `roles+${name}`);
  const taken = before.filter((name) => !after.includes(name)).map((name) => `roles-${name}`);
  return [...given, ...taken];
}
