import { AppError } from "../../errors/app-error.ts";
import { holdsAll, type Permission, type PermissionSet } from "./permissions.ts";

/** Somebody's place among those who administer. */
export interface Standing {
  /** Null for a client. */
  readonly userId: string | null;
  readonly permissions: PermissionSet;
}

/** What somebody wants to do to a user. */
export interface WantedChange {
  readonly actor: Standing;
  /** Null for a user who is to be created. */
  readonly target: Standing | null;
  /** Whether it decides what the user can do or whether the user can sign in: nobody does that to themselves. */
  readonly isOfAccess: boolean;
  /** Whether roles are given or taken. */
  readonly isOfRoles: boolean;
  /** What the roles permit that the user is to have and has not. */
  readonly given: PermissionSet;
  /** Whether the user is an admin who can sign in, and will be none. */
  readonly endsAdmin: boolean;
  /** Whether another admin can sign in. */
  readonly hasOtherAdmin: boolean;
}

/** Why a change is refused. */
export type Refusal = "above" | "self" | "no_roles" | "not_held" | "last_admin";

/**
 * Decides whether somebody may do something to a user: nobody acts on somebody who holds what they do not, gives what
 * they do not hold, raises, stops or deletes themselves, or ends the last admin.
 *
 * @returns null where it may be done
 */
export function findRefusal(wanted: WantedChange): Refusal | null {
  const { actor, target, given } = wanted;
  if (target !== null && !holdsAll(actor.permissions, target.permissions)) return "above";
  const isSelf = target !== null && target.userId !== null && target.userId === actor.userId;
  if (isSelf && wanted.isOfAccess) return "self";
  if (wanted.isOfRoles && !actor.permissions.has("users.set_roles")) return "no_roles";
  if (!holdsAll(actor.permissions, given)) return "not_held";
  return wanted.endsAdmin && !wanted.hasOtherAdmin ? "last_admin" : null;
}

/**
 * Decides whether somebody may change a role: they must hold what it permits, before and after.
 *
 * @param before what the role permits now; nothing where it is created
 * @param after what it will permit; nothing where it is deleted
 * @returns null where it may be done
 */
export function findRoleRefusal(
  actor: Pick<Standing, "permissions">,
  before: PermissionSet,
  after: PermissionSet,
): Refusal | null {
  if (!holdsAll(actor.permissions, before)) return "above";
  return holdsAll(actor.permissions, after) ? null : "not_held";
}

const details: Readonly<Record<Refusal, string>> = {
  above: "This has a permission that the caller lacks.",
  self: "Nobody may do this to themselves.",
  no_roles: "The caller may not give or take roles.",
  not_held: "The caller may not give a permission that the caller lacks.",
  last_admin: "This is the last admin who can sign in.",
};

/** Refuses who lacks the permission of an operation. @throws AppError permission_denied */
export function requirePermission(held: PermissionSet, permission: Permission): void {
  if (held.has(permission)) return;
  throw new AppError("permission_denied", "The caller lacks the permission that this operation needs.");
}

/** Refuses a change. @throws AppError permission_denied unless the refusal is null */
export function refuse(refusal: Refusal | null): void {
  if (refusal !== null) throw new AppError("permission_denied", details[refusal]);
}
