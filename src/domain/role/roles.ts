import { notFound, refuseFields } from "../../errors/invalid.ts";
import { etagOf } from "../../lib/etag.ts";
import type { Queryable } from "../../postgres/pool.ts";
import { builtinRoles, isBuiltinRole } from "./builtin-roles.ts";
import { type ChangeRoles, type ChangeRolesDeps, createChangeRoles } from "./change-roles.ts";
import type { PermissionSet } from "./permissions.ts";
import { isRoleName, ownPermissions, type Role } from "./role.ts";
import { roleFromRow, type StoredRole } from "./role-store.ts";

/** The roles. */
export interface Roles extends ChangeRoles {
  /** What roles permit in all, of Countersign's own; a name without a role permits nothing. */
  permissionsOf(names: readonly string[], tx?: Queryable): Promise<PermissionSet>;
  /**
   * The same for roles that are given to a user or a client in this transaction: until it ends, none of them is deleted.
   *
   * @param field the name of the field that gives them; `roles` by default
   * @throws AppError validation_failed where there is no such role
   */
  permissionsGiven(tx: Queryable, names: readonly string[], field?: string): Promise<PermissionSet>;
  /** What each of these roles permits that there is, of Countersign's own. They are held in the same way. */
  permissionsByName(tx: Queryable, names: readonly string[]): Promise<ReadonlyMap<string, PermissionSet>>;
  /** @throws AppError not_found */
  get(name: string): Promise<Role>;
  /** At most `limit` roles by name, after the given one. */
  list(after: string, limit: number): Promise<Role[]>;
}

/** @param deps the stores and the audit trail */
export function createRoles(deps: ChangeRolesDeps): Roles {
  const { store } = deps;

  const sum = (names: readonly string[], found: readonly StoredRole[]): PermissionSet =>
    ownPermissions([
      ...builtinRoles.filter(({ name }) => names.includes(name)).flatMap((role) => role.permissions),
      ...found.flatMap((role) => role.permissions),
    ]);
  const own = (names: readonly string[]) => names.filter((name) => !isBuiltinRole(name));

  return {
    permissionsOf: async (names, tx) => sum(names, await store.find(own(names), tx)),
    async permissionsGiven(tx, names, field = "roles") {
      const found = await store.hold(tx, own(names));
      if (found.length < new Set(own(names)).size) {
        refuseFields([{ field, code: "not_found", detail: "must name roles that there are" }]);
      }
      return sum(names, found);
    },
    async permissionsByName(tx, names) {
      const found = await store.hold(tx, own(names));
      const known = [...builtinRoles.filter(({ name }) => names.includes(name)), ...found];
      return new Map(known.map((role) => [role.name, ownPermissions(role.permissions)]));
    },
    async get(name) {
      const builtin = builtins.find((role) => role.name === name);
      const [row] = builtin === undefined && isRoleName(name) ? await store.find([name]) : [];
      const role = builtin ?? (row && roleFromRow(row));
      if (role === undefined) throw notFound("role");
      return role;
    },
    async list(after, limit) {
      const rows = (await store.list(after, limit)).map(roleFromRow);
      const all = [...rows, ...builtins.filter(({ name }) => name > after)];
      return all.toSorted((one, other) => (one.name < other.name ? -1 : 1)).slice(0, limit);
    },
    ...createChangeRoles(deps),
  };
}

const builtins: readonly Role[] = builtinRoles.map((role) => {
  return { ...role, scopes: [], builtIn: true, createdAt: null, etag: etagOf(role) };
});
