import { AppError } from "../../errors/app-error.ts";
import type { ChangeManagedUser, ChangeOf } from "./change-managed-user.ts";
import type { EndUserSessionsDeps } from "./end-user-sessions.ts";
import type { ManagedUser } from "./managed-user.ts";
import type { ManagedUserStore } from "./managed-user-store.ts";
import type { UserStatus } from "./user.ts";

/** The changes of a user's status. Each ends every session. */
export interface ChangeUserStatus {
  /** @throws AppError conflict where the user is not active */
  suspend(of: ChangeOf): Promise<ManagedUser>;
  reactivate(of: ChangeOf): Promise<ManagedUser>;
  deactivate(of: ChangeOf): Promise<ManagedUser>;
}

/** Builds them. @param change makes one change, by the rules */
export function createChangeUserStatus(
  change: ChangeManagedUser["change"],
  deps: {
    readonly store: Pick<ManagedUserStore, "setStatus">;
    readonly sessions: Pick<EndUserSessionsDeps["sessions"], "endAllOf">;
  },
): ChangeUserStatus {
  const { store, sessions } = deps;
  /** Sets a status, and ends every session. */
  const setStatus = (
    of: ChangeOf,
    status: UserStatus,
    permission: "users.suspend" | "users.deactivate",
    check: (before: ManagedUser, mayActivate: boolean) => void = () => undefined,
  ): Promise<ManagedUser> =>
    change(of, {
      permission,
      type: "user.status_changed",
      plan(before, actor) {
        check(before, actor.permissions.has("users.deactivate"));
        return { isOfAccess: true, after: { ...before, user: { ...before.user, status } }, reason: status };
      },
      async write(tx, { user: { id } }) {
        const [changed] = await Promise.all([store.setStatus(tx, id, status), sessions.endAllOf(tx, [id])]);
        return changed;
      },
    });

  return {
    suspend: (of) =>
      setStatus(of, "suspended", "users.suspend", ({ user }) => {
        if (user.status !== "active") throw new AppError("conflict", "The user is not active.");
      }),
    reactivate: (of) =>
      setStatus(of, "active", "users.suspend", ({ user }, mayActivate) => {
        if (user.status === "suspended" || mayActivate) return;
        throw new AppError("permission_denied", "The caller may only make suspended users active.");
      }),
    deactivate: (of) => setStatus(of, "deactivated", "users.deactivate"),
  };
}
