import type { Database, Queryable } from "../../postgres/pool.ts";
import type { Audit } from "../audit/audit.ts";
import type { AuditEvent, AuditSource } from "../audit/audit-event.ts";
import type { PasswordHash } from "../password/password-hash.ts";
import type { UserId, UserProfile } from "./user.ts";
import type { LoginUser, NewUser, UserStore } from "./user-store.ts";

/** What the changes of users are made of. */
export interface ChangeUsersDeps {
  readonly db: Pick<Database, "transaction">;
  readonly store: UserStore;
  readonly sessions: {
    /** Ends all sessions of users whose rows the transaction has locked; answers how many. */
    endAllOf(tx: Queryable, userIds: readonly string[]): Promise<number>;
  };
  readonly audit: Pick<Audit, "record" | "recordAlone">;
}

/** The changes of users, each in one transaction with its event. Each throws AppError unavailable. */
export interface ChangeUsers {
  /** Creates the first user; null where there is any user. One caller of many wins. */
  createFirst(user: NewUser, by: AuditSource): Promise<UserProfile | null>;
  /**
   * Sets a password and ends every session, at once, while the user's counter is as it was read; answers the new
   * counter, or null where the account has changed since.
   */
  changePassword(found: LoginUser, hash: PasswordHash, by: AuditSource): Promise<string | null>;
  /** Ends the sessions of all users, in batches. See `Users.endAllSessions`. */
  endAllSessions(by: AuditSource): Promise<{ readonly users: number; readonly sessionsEnded: number }>;
}

const batchSize = 500;

/** Builds them. */
export function createChangeUsers({ db, store, sessions, audit }: ChangeUsersDeps): ChangeUsers {
  const insert = async (tx: Queryable, user: NewUser, by: AuditSource): Promise<UserProfile> => {
    const inserted = await store.insert(tx, user);
    await audit.record(tx, { type: "user.created", ...by, userId: user.id });
    return inserted;
  };

  /** Changes a user, whose row is locked from then on, and ends the sessions. */
  const change = <Changed>(
    id: UserId,
    set: (tx: Queryable) => Promise<Changed | null>,
    event: AuditEvent,
  ): Promise<Changed | null> =>
    db.transaction(async (tx) => {
      const changed = await set(tx);
      if (changed === null) return null;
      await Promise.all([sessions.endAllOf(tx, [id]), audit.record(tx, event)]);
      return changed;
    });

  return {
    createFirst: (user, by) =>
      db.transaction(async (tx) => {
        const [, isEmpty] = await Promise.all([store.lock(tx), store.isEmpty(tx)]);
        return isEmpty ? insert(tx, user, by) : null;
      }),
    changePassword: ({ user: { id }, sessionEpoch }, hash, by) =>
      change(id, (tx) => store.changePassword(tx, id, sessionEpoch, hash), {
        type: "password.changed",
        ...by,
        userId: id,
      }),
    async endAllSessions(by) {
      let [users, sessionsEnded, after] = [0, 0, ""];
      for (;;) {
        const batch = await db.transaction(async (tx) => {
          const ids = await store.countUpNext(tx, after, batchSize);
          return { ids, sessionsEnded: await sessions.endAllOf(tx, ids) };
        });
        users += batch.ids.length;
        sessionsEnded += batch.sessionsEnded;
        const last = batch.ids.at(-1);
        if (last === undefined || batch.ids.length < batchSize) break;
        after = last;
      }
      await audit.recordAlone({ type: "store.recovered", ...by });
      return { users, sessionsEnded };
    },
  };
}
