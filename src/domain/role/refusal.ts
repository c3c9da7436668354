import { AppError } from "../../errors/app-error.ts";
import { holdsAll, type PermissionSet } from "./permissions.ts";

/** Somebody's place among those who administer. */
export interface Standing {
  /** Null for a client. */
  readonly userId: string | null;
  readonly permissions: PermissionSet;
}

/** Why a change is refused. */
export type Refusal = "above" | "not_held";

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
  not_held: "The caller may not give a permission that the caller lacks.",
};

/** Refuses a change. @throws AppError permission_denied unless the refusal is null */
export function refuse(refusal: Refusal | null): void {
  if (refusal !== null) throw new AppError("permission_denied", details[refusal]);
}
