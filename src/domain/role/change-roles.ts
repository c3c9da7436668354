import { AppError } from "../../errors/app-error.ts";
import { changedMeanwhile, notFound, refuseFields } from "../../errors/invalid.ts";
import type { Database, Queryable } from "../../postgres/pool.ts";
import type { Audit } from "../audit/audit.ts";
import type { Repeatable, Repeats } from "../repeat/repeats.ts";
import type { Changer } from "./administrator.ts";
import { isBuiltinRole } from "./builtin-roles.ts";
import { noPermissions } from "./permissions.ts";
import { findRoleRefusal, refuse } from "./refusal.ts";
import { checkRole, isRoleName, ownPermissions, type Role, type RoleContent } from "./role.ts";
import { roleFromRow, type RoleStore } from "./role-store.ts";

/** What the changes of roles are made of. */
export interface ChangeRolesDeps {
  readonly db: Pick<Database, "transaction">;
  readonly store: RoleStore;
  readonly repeats: Pick<Repeats, "once">;
  readonly audit: Pick<Audit, "record">;
}

/** The changes of roles, each in one transaction with its event. */
export interface ChangeRoles {
  /** @throws AppError validation_failed, permission_denied, already_exists, conflict */
  create(name: string, content: RoleContent, changer: Changer, request: Repeatable): Promise<Role>;
  /** @param etag the state that is changed; empty for any @throws AppError, and not_found */
  update(name: string, changes: Partial<RoleContent>, changer: Changer, etag: string): Promise<Role>;
  /** @throws AppError permission_denied, not_found, conflict where a user or a client has the role */
  delete(name: string, changer: Changer, etag: string): Promise<void>;
}

/** Builds them. Each throws AppError unavailable. */
export function createChangeRoles({ db, store, repeats, audit }: ChangeRolesDeps): ChangeRoles {
  /** A role of the operator's own, locked, in the state that is asked for. */
  const lockRole = async (tx: Queryable, name: string, etag: string): Promise<Role> => {
    if (isBuiltinRole(name)) throw new AppError("permission_denied", "A built-in role cannot be changed.");
    const row = isRoleName(name) ? await store.lock(tx, name) : null;
    if (row === null) throw notFound("role");
    const role = roleFromRow(row);
    if (etag !== "" && etag !== role.etag) throw changedMeanwhile();
    return role;
  };

  return {
    create: (name, content, { standing, by }, request) =>
      db.transaction(async (tx) => {
        refuseFields(checkRole(name, content));
        if (isBuiltinRole(name)) throw new AppError("already_exists", "A role with this name is built in.");
        refuse(findRoleRefusal(standing, noPermissions, ownPermissions(content.permissions)));
        const row = await repeats.once(tx, request, {
          id: name,
          async create() {
            const created = await store.insert(tx, name, content);
            await audit.record(tx, { type: "role.created", ...by, reason: name });
            return created;
          },
          find: async (earlier) => (await store.find([earlier], tx))[0] ?? null,
        });
        return roleFromRow(row);
      }),
    update: (name, changes, { standing, by }, etag) =>
      db.transaction(async (tx) => {
        const { description, permissions, scopes } = await lockRole(tx, name, etag);
        const content = { description, permissions, scopes, ...changes };
        refuseFields(checkRole(name, content));
        refuse(findRoleRefusal(standing, ownPermissions(permissions), ownPermissions(content.permissions)));
        const [role] = await Promise.all([
          store.update(tx, name, content),
          audit.record(tx, { type: "role.updated", ...by, reason: name }),
        ]);
        return roleFromRow(role);
      }),
    delete: (name, { standing, by }, etag) =>
      db.transaction(async (tx) => {
        const { permissions } = await lockRole(tx, name, etag);
        refuse(findRoleRefusal(standing, ownPermissions(permissions), noPermissions));
        // After the lock: who was given the role before it is seen, and nobody is given it after.
        if (await store.isHeld(tx, name)) throw new AppError("conflict", "A user or a client has this role.");
        await Promise.all([
          store.delete(tx, name),
          audit.record(tx, { type: "role.deleted", ...by, reason: name }),
        ]);
      }),
  };
}
