import { refuseFields } from "../../errors/invalid.ts";
import type { PasswordHasher } from "../password/password-hasher.ts";
import type { Admission } from "../password/queue/admission.ts";
import type { Repeats } from "../repeat/repeats.ts";
import type { Roles } from "../role/roles.ts";
import { type ChangeManagedUserDeps, type ChangeOf, createChangeManagedUser } from "./change-managed-user.ts";
import { type ChangeUserStatus, createChangeUserStatus } from "./change-user-status.ts";
import {
  createManagedUserCreation,
  type CreateManagedUserDeps,
  type ManagedUserCreation,
} from "./create-managed-user.ts";
import { describeChange } from "./describe-change.ts";
import {
  createEndUserSessions,
  type EndUserSessions,
  type EndUserSessionsDeps,
} from "./end-user-sessions.ts";
import type { ManagedUser } from "./managed-user.ts";
import type { ManagedUserStore } from "./managed-user-store.ts";
import { createImportAs, type ImportAs } from "./moving/import-as.ts";
import type { ImportUsers } from "./moving/import-users.ts";
import { hashNewPassword } from "./new-password.ts";
import {
  createReadManagedUsers,
  type ReadManagedUsers,
  type ReadManagedUsersDeps,
} from "./read-managed-users.ts";
import { checkUserContent, type UserContent } from "./user-content.ts";
import type { UserStore } from "./user-store.ts";

export type { ChangeOf } from "./change-managed-user.ts";
export type { ManagedUserDraft } from "./create-managed-user.ts";

/**
 * What administrators do to users. Each change takes its caller's standing anew, in the transaction, and is refused where
 * the rules (`findRefusal`) say so. Each throws AppError: permission_denied, conflict for an old etag, unavailable; and
 * not_found where there is no such user.
 */
export interface ManageUsers
  extends ManagedUserCreation,
    ReadManagedUsers,
    ChangeUserStatus,
    EndUserSessions {
  /** @throws AppError validation_failed, already_exists */
  update(of: ChangeOf, changes: Partial<UserContent>): Promise<ManagedUser>;
  /** @throws AppError validation_failed, overloaded */
  setPassword(
    of: ChangeOf,
    password: string,
    mustChange: boolean,
    admission: Admission,
  ): Promise<ManagedUser>;
  requirePasswordChange(of: ChangeOf): Promise<ManagedUser>;
  import: ImportAs;
  delete(of: ChangeOf): Promise<void>;
}

/** What they are made of. */
export interface ManageUsersDeps
  extends ChangeManagedUserDeps,
    CreateManagedUserDeps,
    ReadManagedUsersDeps,
    EndUserSessionsDeps {
  readonly store: ManagedUserStore;
  readonly repeats: Repeats;
  readonly hasher: PasswordHasher;
  readonly roles: Pick<Roles, "permissionsOf" | "permissionsGiven" | "permissionsByName">;
  readonly importUsers: ImportUsers;
  readonly users: Pick<UserStore, "insert" | "countUp">;
  readonly sessions: ReadManagedUsersDeps["sessions"] & EndUserSessionsDeps["sessions"];
}

/** Builds them. */
export function createManageUsers(deps: ManageUsersDeps): ManageUsers {
  const { store, sessions, repeats, hasher } = deps;
  const { change, readStanding } = createChangeManagedUser(deps);
  const reads = createReadManagedUsers(deps);

  return {
    ...createManagedUserCreation(readStanding, deps),
    ...reads,
    ...createChangeUserStatus(change, deps),
    ...createEndUserSessions(change, deps),
    import: createImportAs({ ...deps, readStanding }),
    update: (of, changes) =>
      change(of, {
        permission: "users.update",
        type: "user.updated",
        plan(before) {
          const user = { ...before.user, ...changes };
          refuseFields(checkUserContent(user));
          const isOfAccess = "roles" in changes;
          return { isOfAccess, after: { ...before, user }, reason: describeChange(before.user, changes) };
        },
        write: (tx, { user }) => store.update(tx, user.id, { ...user, ...changes }),
      }),
    async setPassword(of, password, mustChange, admission) {
      const { user } = await reads.get(of.id);
      const hash = await hashNewPassword(hasher, password, user.username ?? "", admission);
      return change(of, {
        permission: "users.set_password",
        type: "password.changed",
        plan: (before) => ({ isOfAccess: true, after: { ...before, hasPassword: true } }),
        async write(tx, { user: { id } }) {
          const [changed] = await Promise.all([
            store.setPassword(tx, id, hash, mustChange),
            sessions.endAllOf(tx, [id]),
          ]);
          return changed;
        },
      });
    },
    requirePasswordChange: (of) =>
      change(of, {
        permission: "users.require_password_change",
        type: "user.password_change_required",
        plan: () => ({ isOfAccess: false }),
        write: (tx, { user }) => store.requirePasswordChange(tx, user.id),
      }),
    delete: (of) =>
      change(of, {
        permission: "users.delete",
        type: "user.deleted",
        plan: () => ({ isOfAccess: true, after: null }),
        async write(tx, { user: { id } }) {
          await Promise.all([store.delete(tx, id), repeats.forget(tx, id)]);
        },
      }),
  };
}
