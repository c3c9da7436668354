import { foldName } from "../../lib/fold.ts";
import type { FieldError } from "../../errors/app-error.ts";
import type { FieldCode } from "../../errors/field-codes.ts";

const nameCharsMax = 254;
const roleForm = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;
// Controls, format characters (zero-width joiners, bidi overrides), surrogates, private use, separators.
const invisible = /[\p{C}\p{Zl}\p{Zp}]/u;

/** Finds what is wrong with a new username. A name holds no "@": that is how addresses are told apart. */
export function checkUsername(username: string): FieldError[] {
  const problem = usernameProblem(username);
  return problem === null ? [] : [{ field: "username", code: problem[0], detail: problem[1] }];
}

function usernameProblem(username: string): [FieldCode, string] | null {
  if (username === "") return ["required", "is required"];
  if (username.length > nameCharsMax || foldName(username).length > nameCharsMax) {
    return ["too_long", `must be at most ${nameCharsMax} characters long`];
  }
  if (username !== username.trim() || foldName(username) === "") {
    return ["bad_form", "must not begin or end with white space"];
  }
  if (invisible.test(username)) return ["bad_characters", "must not hold invisible characters"];
  // NFKC turns look-alikes into the sign itself.
  if (foldName(username).includes("@")) return ["bad_characters", "must not hold an at sign"];
  return null;
}

/** Finds what is wrong with an e-mail address. Whether mail arrives there only mail can tell. */
export function checkEmail(email: string): FieldError[] {
  const [local, domain, ...rest] = email.split("@");
  const good = local !== "" && domain !== undefined && domain !== "" && rest.length === 0;
  if (good && email.length <= nameCharsMax && !/\s/.test(email) && !invisible.test(email)) return [];
  return [
    { field: "email", code: "bad_form", detail: `must be one address of at most ${nameCharsMax} characters` },
  ];
}

/** What the roles of one user may have in all: every access token carries them. */
export const rolesMax = { count: 64, bytes: 2_048 } as const;

/** Finds what is wrong with the roles of one user. */
export function checkRoles(roles: readonly string[]): FieldError[] {
  const problem = rolesProblem(roles);
  return problem === null ? [] : [{ field: "roles", code: problem[0], detail: problem[1] }];
}

function rolesProblem(roles: readonly string[]): [FieldCode, string] | null {
  if (!roles.every((role) => roleForm.test(role))) {
    return ["bad_form", "must be names of at most 64 letters, digits, dots, colons, dashes and underscores"];
  }
  // They are ASCII.
  if (roles.length > rolesMax.count || roles.join("").length > rolesMax.bytes) {
    return ["too_long", `must be at most ${rolesMax.count}, of at most ${rolesMax.bytes} bytes in all`];
  }
  return null;
}
