import { changedMeanwhile, notFound } from "../../errors/invalid.ts";
import type { Database, Queryable } from "../../postgres/pool.ts";
import type { Audit } from "../audit/audit.ts";
import type { AuditEvent } from "../audit/audit-event.ts";
import type { Changer } from "../role/administrator.ts";
import { noPermissions, type Permission } from "../role/permissions.ts";
import { findRefusal, refuse, requirePermission, type Standing, type WantedChange } from "../role/refusal.ts";
import type { Roles } from "../role/roles.ts";
import { isWorkingAdmin, type ManagedUser } from "./managed-user.ts";
import type { ManagedUserStore } from "./managed-user-store.ts";
import { userIds } from "./user.ts";

/** Which user is changed, in which state (empty for any), and by whom. */
export interface ChangeOf {
  readonly id: string;
  readonly etag: string;
  readonly changer: Changer;
}

/** What a change comes to, once the user is known. */
export interface PlannedChange {
  /** Nobody does it to themselves. */
  readonly isOfAccess: boolean;
  /** What the user will be, where that matters to the rules; by default as before. */
  readonly after?: Pick<ManagedUser, "user" | "hasPassword"> | null;
  /** What the event says was changed. */
  readonly reason?: string;
}

/** What the changes are made of. */
export interface ChangeManagedUserDeps {
  readonly db: Pick<Database, "transaction">;
  readonly store: ManagedUserStore;
  readonly roles: Pick<Roles, "permissionsOf" | "permissionsGiven">;
  readonly audit: Pick<Audit, "record">;
  /** Forgets what this process remembers of a user's sessions. */
  readonly forget: (userId: string) => Promise<void>;
}

/** How a user is changed. */
export interface ChangeBy<Result> {
  /** What the caller must hold, still. */
  readonly permission: Permission;
  /** The event of the change. */
  readonly type: AuditEvent["type"];
  /** What the change comes to; it may refuse by throwing. */
  readonly plan: (before: ManagedUser, actor: Standing) => PlannedChange;
  /** Makes it, and answers what the user is then. */
  readonly write: (tx: Queryable, before: ManagedUser) => Promise<Result>;
  /** What else the event tells of. */
  readonly describe?: (result: Result) => Pick<AuditEvent, "sessionId" | "clientId">;
}

/** Changes one user in one transaction with its event, if the rules let it. */
export interface ChangeManagedUser {
  /** The standing of a caller now; nobody's where the user cannot sign in any more. @throws AppError permission_denied */
  readonly readStanding: (tx: Queryable, standing: Standing, permission: Permission) => Promise<Standing>;
  /** @throws AppError not_found, conflict, permission_denied, unavailable */
  readonly change: <Result>(of: ChangeOf, how: ChangeBy<Result>) => Promise<Result>;
}

/** Builds it. */
export function createChangeManagedUser(deps: ChangeManagedUserDeps): ChangeManagedUser {
  const { db, store, roles, audit } = deps;

  const readStanding: ChangeManagedUser["readStanding"] = async (tx, standing, permission) => {
    const { userId } = standing;
    if (userId === null) return standing;
    const names = (await store.rolesOf(tx, userId)) ?? [];
    const permissions = await roles.permissionsOf(names, tx);
    requirePermission(permissions, permission);
    return { userId, permissions };
  };

  /** What the rules ask of a change. */
  const weigh = async (
    tx: Queryable,
    actor: Standing,
    before: ManagedUser,
    { isOfAccess, after = before }: PlannedChange,
  ): Promise<WantedChange> => {
    const target = await roles.permissionsOf(before.user.roles, tx);
    const had = new Set(before.user.roles);
    const has = new Set(after?.user.roles ?? []);
    const added = [...has].filter((name) => !had.has(name));
    const given = added.length === 0 ? noPermissions : await roles.permissionsGiven(tx, added);
    const endsAdmin = isWorkingAdmin(before) && (after === null || !isWorkingAdmin(after));
    if (endsAdmin) await store.lockAdmins(tx);
    return {
      actor,
      target: { userId: before.user.id, permissions: target },
      isOfAccess,
      isOfRoles: after !== null && (added.length > 0 || [...had].some((name) => !has.has(name))),
      given: new Set([...given].filter((each) => !target.has(each))),
      endsAdmin,
      hasOtherAdmin: !endsAdmin || (await store.hasOtherAdmin(tx, before.user.id)),
    };
  };

  return {
    readStanding,
    async change({ id, etag, changer }, { permission, type, plan, write, describe }) {
      const result = await db.transaction(async (tx) => {
        const before = userIds.is(id) ? await store.lock(tx, id) : null;
        if (before === null) throw notFound("user");
        if (etag !== "" && etag !== before.etag) throw changedMeanwhile();
        const actor = await readStanding(tx, changer.standing, permission);
        const planned = plan(before, actor);
        refuse(findRefusal(await weigh(tx, actor, before, planned)));
        const written = await write(tx, before);
        const about = { userId: id, reason: planned.reason, ...describe?.(written) };
        await audit.record(tx, { type, ...changer.by, ...about });
        return written;
      });
      await deps.forget(id);
      return result;
    },
  };
}
