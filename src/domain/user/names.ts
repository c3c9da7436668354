import { foldName } from "../../lib/fold.ts";
import type { FieldError } from "../errors.ts";

const nameCharsMax = 254;
const roleForm = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;
// Controls, format characters (zero-width joiners, bidi overrides), surrogates, private use, separators.
const invisible = /[\p{C}\p{Zl}\p{Zp}]/u;

/** Finds what is wrong with a new username. A name holds no "@": that is how addresses are told apart. */
export function checkUsername(username: string): FieldError[] {
  const detail = usernameProblem(username);
  return detail === null ? [] : [{ field: "username", detail }];
}

function usernameProblem(username: string): string | null {
  if (username === "") return "is required";
  if (username.length > nameCharsMax || foldName(username).length > nameCharsMax) {
    return `must be at most ${nameCharsMax} characters long`;
  }
  if (username !== username.trim() || foldName(username) === "") {
    return "must not begin or end with white space";
  }
  if (invisible.test(username)) return "must not hold invisible characters";
  // NFKC turns look-alikes into the sign itself.
  if (foldName(username).includes("@")) return "must not hold an at sign";
  return null;
}

/** Finds what is wrong with an e-mail address. Whether mail arrives there only mail can tell. */
export function checkEmail(email: string): FieldError[] {
  const [local, domain, ...rest] = email.split("@");
  const good = local !== "" && domain !== undefined && domain !== "" && rest.length === 0;
  if (good && email.length <= nameCharsMax && !/\s/.test(email) && !invisible.test(email)) return [];
  return [{ field: "email", detail: `must be one address of at most ${nameCharsMax} characters` }];
}

/** What the roles of one user may have in all: every access token carries them. */
export const rolesMax = { count: 64, bytes: 2_048 } as const;

/** Finds what is wrong with the roles of one user. */
export function checkRoles(roles: readonly string[]): FieldError[] {
  const detail = rolesProblem(roles);
  return detail === null ? [] : [{ field: "roles", detail }];
}

function rolesProblem(roles: readonly string[]): string | null {
  if (!roles.every((role) => roleForm.test(role))) {
    return "must be names of at most 64 letters, digits, dots, colons, dashes and underscores";
  }
  // They are ASCII.
  if (roles.length > rolesMax.count || roles.join("").length > rolesMax.bytes) {
    return `must be at most ${rolesMax.count}, of at most ${rolesMax.bytes} bytes in all`;
  }
  return null;
}
