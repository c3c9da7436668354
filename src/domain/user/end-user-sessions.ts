import { notFound } from "../../errors/invalid.ts";
import type { Queryable } from "../../postgres/pool.ts";
import { type EndedSession, sessionIds } from "../session/session.ts";
import type { ChangeManagedUser, ChangeOf } from "./change-managed-user.ts";
import type { UserStore } from "./user-store.ts";

/** What administrators end of a user's. */
export interface EndUserSessions {
  /** @throws AppError not_found where there is no such session */
  endSession(of: ChangeOf, sessionId: string): Promise<void>;
  endSessions(of: ChangeOf): Promise<void>;
  /** Makes all device tokens of the user worthless. */
  forgetDevices(of: ChangeOf): Promise<void>;
}

/** What that is made of. */
export interface EndUserSessionsDeps {
  readonly users: Pick<UserStore, "countUp">;
  readonly sessions: {
    endById(tx: Queryable, userId: string, sessionId: string): Promise<EndedSession | null>;
    endAllOf(tx: Queryable, userIds: readonly string[]): Promise<number>;
  };
}

/** Builds it. @param change makes one change, by the rules */
export function createEndUserSessions(
  change: ChangeManagedUser["change"],
  { users, sessions }: EndUserSessionsDeps,
): EndUserSessions {
  return {
    endSession: (of, sessionId) =>
      change(of, {
        permission: "sessions.end",
        type: "session.ended",
        plan: () => ({ isOfAccess: false, reason: "revoked" }),
        async write(tx, { user: { id } }) {
          const ended = sessionIds.is(sessionId) ? await sessions.endById(tx, id, sessionId) : null;
          if (ended === null) throw notFound("session");
          return ended;
        },
        describe: ({ id, clientId }) => ({ sessionId: id, clientId }),
      }).then(() => undefined),
    endSessions: (of) =>
      change(of, {
        permission: "sessions.end",
        type: "sessions.ended",
        plan: () => ({ isOfAccess: false, reason: "revoked" }),
        async write(tx, { user: { id } }) {
          await Promise.all([users.countUp(tx, id), sessions.endAllOf(tx, [id])]);
        },
      }),
    forgetDevices: (of) =>
      change(of, {
        permission: "devices.forget",
        type: "devices.forgotten",
        plan: () => ({ isOfAccess: false }),
        write: (tx, { user }) => users.countUp(tx, user.id),
      }),
  };
}
