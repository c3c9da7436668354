import type { AccessToken } from "./access-token.ts";
import { VerifyError } from "./verify-error.ts";

/** Who may make a call: anyone, or whoever has an access token with all of some scopes and one of some roles. */
export type AccessRule =
  | { readonly anyone: true }
  | { readonly anyone?: false; readonly scopes?: readonly string[]; readonly roles?: readonly string[] };

/** @throws VerifyError `insufficient_scope` or `insufficient_role` */
export function requireAccess(token: AccessToken, rule: AccessRule): void {
  if (rule.anyone) return;
  const { scopes = [], roles = [] } = rule;
  if (!scopes.every((scope) => token.scopes.includes(scope))) throw new VerifyError("insufficient_scope");
  if (roles.length > 0 && !roles.some((role) => token.roles.includes(role))) {
    throw new VerifyError("insufficient_role");
  }
}

/** The form that the option `(countersign.v1.access)` of an RPC has once it is read. */
export interface AccessOption {
  readonly anyone?: boolean | undefined;
  readonly bearer?: BearerOption | undefined;
  readonly permission?: string | undefined;
}

interface BearerOption {
  /** One value, or a list: readers of protos differ. */
  readonly roles?: string | readonly string[] | undefined;
  readonly scopes?: string | readonly string[] | undefined;
  readonly unlessField?: string | undefined;
  readonly unless_field?: string | undefined;
}

/**
 * The rule that an option of an RPC states.
 *
 * @param rpc its name, for errors
 * @throws Error where there is none, or one that only Countersign itself can check
 */
export function readAccessOption(rpc: string, option: AccessOption | undefined): AccessRule {
  if (option?.anyone) return { anyone: true };
  if (option?.permission) {
    throw new Error(`${rpc}: a permission is checked by Countersign alone. Use roles or scopes.`);
  }
  if (option?.bearer === undefined) throw new Error(`${rpc} has no option (countersign.v1.access).`);
  const { roles, scopes, unlessField, unless_field } = option.bearer;
  if (unlessField || unless_field) throw new Error(`${rpc}: unless_field is checked by Countersign alone.`);
  return { roles: listOf(roles), scopes: listOf(scopes) };
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return typeof value === "string" ? [value] : (value ?? []);
}
