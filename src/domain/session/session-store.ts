import type { Database } from "../../postgres/pool.ts";
import type { User } from "../user/user.ts";
import { type UserRow, userColumns, userFromRow } from "../user/user-row.ts";
import type { BegunSession, SessionId } from "./session.ts";

/** What a new session's row needs. Durations are seconds. */
export interface NewSession {
  readonly handleHash: Buffer;
  readonly id: SessionId;
  readonly userId: string;
  /** The user's counter as it was read before the password was checked. */
  readonly sessionEpoch: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly secretKeyId: string;
  readonly idleTtlSeconds: number;
  readonly maxTtlSeconds: number;
}

// The update locks the user's row and looks at it anew: whatever ended all sessions, or stopped the
// user, before this statement wins, in whichever order the two began.
const begin = {
  name: "session.begin",
  text: `with signed_in as (
      update users set last_login_at = now()
      where id = $3 and session_epoch = $4 and status = 'active'
      returning id
    )
    insert into sessions (handle_hash, id, user_id, client_id, scopes, secret_key_id,
      created_at, last_used_at, idle_expires_at, expires_at)
    select $1, $2, id, $5, $6, $7, now(), now(),
      now() + least($8::int, $9::int) * interval '1 second', now() + $9::int * interval '1 second'
    from signed_in
    returning floor(extract(epoch from created_at))::int as "beganAt",
      floor(extract(epoch from expires_at))::int as "expiresAt"`,
};

const findLiveUser = {
  name: "session.find-live-user",
  text: `select ${userColumns("u")} from sessions s join users u on u.id = s.user_id
    where s.id = $1 and s.user_id = $2 and s.ended_at is null and u.status = 'active'
      and s.expires_at > now() and s.idle_expires_at > now()`,
};

/** The sessions in Postgres, which decides whether one lives and who its user is. */
export interface SessionStore {
  /** Begins a session; null where the user's counter or status has changed since it was read. */
  begin(session: NewSession): Promise<BegunSession | null>;
  /** The user of a session, where both live now. */
  findLiveUser(sessionId: string, userId: string): Promise<User | null>;
}

/** @param db the pool */
export function createSessionStore(db: Pick<Database, "query">): SessionStore {
  return {
    async begin(session) {
      const rows = await db.query<BegunSession>(begin, [
        session.handleHash,
        session.id,
        session.userId,
        session.sessionEpoch,
        session.clientId,
        session.scopes,
        session.secretKeyId,
        session.idleTtlSeconds,
        session.maxTtlSeconds,
      ]);
      return rows[0] ?? null;
    },
    async findLiveUser(sessionId, userId) {
      const [row] = await db.query<UserRow>(findLiveUser, [sessionId, userId]);
      return row === undefined ? null : userFromRow(row);
    },
  };
}
