import { adminRole, builtinRoles } from "../../domain/role/builtin-roles.ts";
import { isPermission } from "../../domain/role/permissions.ts";
import { AppError } from "../../errors/app-error.ts";
import type { Api, Caller } from "../calling/with-api.ts";
import type { Item } from "./fields.ts";
import { type Found, type Kind, textOf, textsOf } from "./kind.ts";
import { clientKind } from "./kinds/clients.ts";
import { roleKind } from "./kinds/roles.ts";
import { userKind } from "./kinds/users.ts";
import type { Plan, Step } from "./plan.ts";

const scopePrefix = "countersign.";

/**
 * Refuses a plan that would take a permission from whoever applies it, or leave no admin who can sign in. The service
 * refuses the last one too, but only when it comes to it.
 *
 * @throws Error
 */
export async function refuseLockOut(api: Api, plan: Plan): Promise<void> {
  if (plan.steps.length === 0) return;
  const users = plan.state.get(userKind);
  if (users !== undefined) {
    const hadAdmin = users.some((user) => isAdmin(user, user.item));
    const hasAdmin = users.some((user) => isAdmin(user, after(plan.steps, userKind, user)));
    if (hadAdmin && !hasAdmin) {
      throw new Error("This would leave no admin who can sign in. Nothing was done.");
    }
  }
  const caller = await api.caller();
  if (caller === null) return;
  const lost = await findLost(api, plan, caller).catch((error: unknown) => {
    // Who may not even look can change neither.
    if (error instanceof AppError && error.reason === "permission_denied") return [];
    throw error;
  });
  if (lost.length > 0) throw new Error(`This would take ${lost.join(", ")} from you. Nothing was done.`);
}

function isAdmin({ isWorking }: Found, item: Item): boolean {
  return isWorking === true && textsOf(item, "roles").includes(adminRole);
}

/** What the caller's permissions would be less of. */
async function findLost(api: Api, plan: Plan, caller: Caller): Promise<string[]> {
  const kind = caller.kind === "user" ? userKind : clientKind;
  const found =
    plan.state.get(kind)?.find(({ key }) => key === caller.id) ?? (await readSelf(api, kind, caller));
  if (found === undefined) return [];
  const roles = plan.state.get(roleKind) ?? (await roleKind.read(api, []));
  const before = permissionsOf(namesOf(kind, found.item), roles, []);
  const left = permissionsOf(namesOf(kind, after(plan.steps, kind, found)), roles, plan.steps);
  return [...before].filter((permission) => !left.has(permission));
}

/** Whoever applies the file, where no section of the file is about their kind. */
async function readSelf(api: Api, kind: Kind, caller: Caller): Promise<Found | undefined> {
  const found = await kind.read(api, [{ id: caller.id }]);
  return found.find(({ key }) => key === caller.id);
}

/** What something is after a plan. */
function after(steps: readonly Step[], kind: Kind, found: Found): Item {
  for (const step of steps) {
    if (step.kind !== kind || step.action === "create" || step.found.key !== found.key) continue;
    return step.action === "update" ? step.item : {};
  }
  return found.item;
}

/** A client has a role by a scope. */
function namesOf(kind: Kind, item: Item): string[] {
  if (kind === userKind) return textsOf(item, "roles");
  return textsOf(item, "scopes")
    .filter((scope) => scope.startsWith(scopePrefix))
    .map((scope) => scope.slice(scopePrefix.length));
}

function permissionsOf(
  names: readonly string[],
  roles: readonly Found[],
  steps: readonly Step[],
): Set<string> {
  const own = roles.map((role) => after(steps, roleKind, role));
  const created = steps.flatMap((step) =>
    step.kind === roleKind && step.action === "create" ? [step.item] : [],
  );
  const known = [
    ...builtinRoles.map(({ name, permissions }) => ({ name, permissions: [...permissions] as string[] })),
    ...[...own, ...created].map((item) => ({
      name: textOf(item, "name"),
      permissions: textsOf(item, "permissions"),
    })),
  ];
  const held = known.filter(({ name }) => names.includes(name)).flatMap(({ permissions }) => permissions);
  return new Set(held.filter(isPermission));
}
