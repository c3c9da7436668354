import type { FieldError } from "../../errors/app-error.ts";
import { isScopeToken } from "../../lib/scope-token.ts";
import { isPermission, type Permission, type PermissionSet } from "./permissions.ts";

/** What a role says. */
export interface RoleContent {
  readonly description: string;
  /** Countersign's own permissions, and those of the operator's APIs, which have a colon. */
  readonly permissions: readonly string[];
  /** What it stands for at the operator's APIs. */
  readonly scopes: readonly string[];
}

/** A named set of permissions. */
export interface Role extends RoleContent {
  readonly name: string;
  readonly builtIn: boolean;
  /** Null for a built-in role. */
  readonly createdAt: Date | null;
  /** Its state, to tell it from another. */
  readonly etag: string;
}

const nameForm = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;
// What the operator's APIs know. A name without a colon is Countersign's own, now or some day.
const foreignPermissionForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}:[A-Za-z0-9._:*/-]{1,64}$/;
const scopeCharsMax = 128;

/** Whether a text can be the name of a role. */
export function isRoleName(text: string): boolean {
  return nameForm.test(text);
}

/** Countersign's own among the permissions of a role. */
export function ownPermissions(names: Iterable<string>): PermissionSet {
  return new Set<Permission>([...names].filter(isPermission));
}

/** Finds what is wrong with a role. */
export function checkRole(name: string, content: RoleContent): FieldError[] {
  const problems: [boolean, string, string][] = [
    [
      !isRoleName(name),
      "name",
      "must be at most 64 letters, digits, dots, colons, dashes and underscores, the first a letter or a digit",
    ],
    [/\p{Cc}/u.test(content.description), "description", "must not hold control characters"],
    [
      !content.permissions.every((each) => isPermission(each) || foreignPermissionForm.test(each)),
      "permissions",
      "must be permissions of Countersign, or names with a colon of other APIs",
    ],
    [
      !content.scopes.every((scope) => scope.length <= scopeCharsMax && isScopeToken(scope)),
      "scopes",
      "must be scope names (RFC 6749 section 3.3)",
    ],
  ];
  return problems
    .filter(([wrong]) => wrong)
    .map(([, field, detail]) => ({ field, code: "bad_form", detail }));
}
