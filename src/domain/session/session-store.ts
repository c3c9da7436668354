import type { LookUps, Queryable } from "../../postgres/pool.ts";
import type { TokenUser, UserProfile } from "../user/user.ts";
import {
  type ProfileRow,
  profileColumns,
  profileFromRow,
  type TokenUserRow,
  tokenUserColumns,
  tokenUserFromRow,
} from "../user/user-row.ts";
import { rememberedRotations } from "./rotation/decide-refresh.ts";
import type { RotationState } from "./rotation/rotation-state.ts";
import type { AuthMethod, EndedSession, Origin, Session, SessionId } from "./session.ts";

/** What a new session's row needs. Durations are seconds. */
export interface NewSession {
  readonly handleHash: Buffer;
  readonly id: SessionId;
  readonly userId: string;
  /** The user's counter as it was read before the password was checked. */
  readonly sessionEpoch: string;
  readonly clientId: string;
  /** Which registration of the client's id authenticated; null for the built-in client. */
  readonly clientRegistration: string | null;
  readonly scopes: readonly string[];
  /** How the user has proved who it is. */
  readonly amr: readonly AuthMethod[];
  readonly secretKeyId: string;
  readonly idleTtlSeconds: number;
  readonly maxTtlSeconds: number;
  readonly origin: Origin;
}

/** When a session's tokens are issued, in seconds since the epoch by Postgres' clock. */
export interface IssueTimes {
  readonly issuedAt: number;
  /** When the password was given. */
  readonly authTime: number;
  /** When the session ends, unless it is refreshed before. */
  readonly expiresAt: number;
}

/** A live session with its user, as a refresh finds it. */
export interface LiveSession extends IssueTimes, RotationState {
  readonly id: SessionId;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly amr: readonly AuthMethod[];
  /** When the session ends at the latest, in seconds since the epoch. */
  readonly endsAt: number;
  /** The first generation whose parent gets a late answer. */
  readonly lateFrom: bigint;
  readonly user: TokenUser;
}

/** No late answers from here on for parents of generations below `lateFrom`. */
export interface LateLimit {
  readonly handleHash: Buffer;
  /** The current generation. */
  readonly generation: bigint;
  readonly lateFrom: bigint;
}

/** A rotation to be made. */
export interface Rotation {
  readonly handleHash: Buffer;
  /** The generation that the decision was made on. */
  readonly from: bigint;
  /** How far the counter moves: one, or more where the store lost a write. */
  readonly steps: bigint;
  readonly secretKeyId: string;
  /** See hashOrigin. */
  readonly origin: string;
  readonly idleTtlSeconds: number;
}

const notExpired = "s.expires_at > now() and s.idle_expires_at > now()";

/**
 * Whether a session that its key names has not been ended, as a condition on `sessions s`. Not `is null`, which would
 * let the indexes of live sessions serve: as long as PostgreSQL has not counted the table it believes that they hold
 * next to nothing, and reads one whole instead of looking the key up.
 */
const notEnded = "coalesce(s.ended_at, 'infinity') = 'infinity'";

/** Whether a session that its key names lives, as a condition on `sessions s`. */
export const liveSession = `${notEnded} and ${notExpired}`;

/** Whether a session of a user lives, by the index of those. */
const liveOfUser = `s.ended_at is null and ${notExpired}`;

/** The columns of a `RotationRow` of `sessions s`. */
export const rotationColumns = `s.generation::text as generation, s.secret_key_id as "secretKeyId",
  encode(s.rotation_origin, 'hex') as "rotationOrigin",
  array(select date_part('epoch', now() - t) * 1000 from unnest(s.rotated_at) with ordinality as r (t, i)
    order by i) as "rotationAgesMs"`;
// Not extract, whose numeric results take several times as long.
const issueTimes = `floor(date_part('epoch', now()))::int as "issuedAt",
  floor(date_part('epoch', s.created_at))::int as "authTime",
  floor(date_part('epoch', least(s.expires_at, s.idle_expires_at)))::int as "expiresAt"`;

// The lock of the user's row looks at it anew: whatever ended all sessions, or stopped the
// user, before this statement wins, in whichever order the two began. So does the deletion of the client,
// which waits for this lock of its row.
const begin = {
  name: "session.begin",
  text: `with registered as (
      select 1 from clients where id = $5 and extract(epoch from created_at)::text = $12 for key share
    ), signed_in as (
      select id from users
      where id = $3 and session_epoch = $4 and status = 'active'
        and ($12::text is null or exists (select 1 from registered))
      for no key update
    ), noted as (
      insert into last_logins (user_id, at) select id, now() from signed_in
      on conflict (user_id) do update set at = excluded.at
    )
    insert into sessions as s (handle_hash, id, user_id, client_id, scopes, secret_key_id,
      created_at, last_used_at, idle_expires_at, expires_at, client_address, user_agent, amr)
    select $1, $2, id, $5, $6, $7, now(), now(),
      now() + least($8::int, $9::int) * interval '1 second', now() + $9::int * interval '1 second',
      nullif($10::text, '')::inet, nullif($11::text, ''), $13::text[]
    from signed_in
    returning ${issueTimes}`,
};

const endedColumns = `s.id, s.user_id as "userId", s.client_id as "clientId"`;

// An array, whose keys are looked up one by one: with an `in`, a plan for few sessions joins all there are.
const endOldest = {
  name: "session.end-oldest",
  text: `update sessions s set ended_at = now() where s.handle_hash = any(array(
      select s.handle_hash from sessions s where s.user_id = $1 and ${liveOfUser}
      order by s.created_at desc, s.handle_hash offset $2
    )) and ${notEnded} returning ${endedColumns}`,
};

const findLiveUser = {
  name: "session.find-live-user",
  text: `select s.id as key, ${profileColumns("u")} from sessions s join users u on u.id = s.user_id
    where s.id = any($1::text[]) and u.status = 'active' and ${liveSession}`,
};

const findForRefresh = {
  name: "session.find-for-refresh",
  text: `select encode(s.handle_hash, 'hex') as key, ${tokenUserColumns("u")}, s.id as "sessionId", s.client_id as "clientId", s.scopes, s.amr, ${rotationColumns},
      s.late_from::text as "lateFrom", floor(date_part('epoch', s.expires_at))::int as "endsAt", ${issueTimes}
    from sessions s join users u on u.id = s.user_id
    where s.handle_hash = any($1::bytea[]) and u.status = 'active' and ${liveSession}`,
};

// Of all that rotate one token, one finds the generation as the decision was made on. The last rotations
// are kept, each step that the store lost a write of as if it were made now.
const rotate = {
  name: "session.rotate",
  text: `update sessions s set
      generation = s.generation + $3::bigint,
      rotated_at = (s.rotated_at || array_fill(now(), array[least($3::bigint, ${rememberedRotations})::int]))
        [greatest(1, cardinality(s.rotated_at) + least($3::bigint, ${rememberedRotations})::int - ${rememberedRotations - 1}):],
      secret_key_id = $4, rotation_origin = decode($6, 'hex'), last_used_at = now(),
      idle_expires_at = least(s.expires_at, now() + $5::int * interval '1 second')
    where s.handle_hash = $1 and s.generation = $2 and ${liveSession}
    returning ${issueTimes}`,
};

const findClientId = {
  name: "session.find-client-id",
  text: `select s.client_id as "clientId" from sessions s where s.handle_hash = $1`,
};

// Of all that ask for the late answer of one generation, one finds it there.
const limitLate = {
  name: "session.limit-late",
  text: `update sessions s set late_from = $3 where s.handle_hash = $1 and s.late_from <= $2 and ${liveSession}
    returning 1`,
};

const endByHandle = {
  name: "session.end-by-handle",
  text: `update sessions s set ended_at = now() where s.handle_hash = $1 and ${notEnded}
    returning ${endedColumns}`,
};

const endById = {
  name: "session.end-by-id",
  text: `update sessions s set ended_at = now() where s.user_id = $1 and s.id = $2 and ${liveSession}
    returning ${endedColumns}`,
};

const endAllOf = {
  name: "session.end-all",
  text: "update sessions set ended_at = now() where user_id = any ($1) and ended_at is null returning 1",
};

const endOfClient = {
  name: "client.end-sessions",
  text: `update sessions set ended_at = now() where handle_hash = any(array(
      select handle_hash from sessions where client_id = $1 and ended_at is null limit $2
    )) returning 1`,
};

const listLive = {
  name: "session.list-live",
  text: `select s.id, s.client_id as "clientId", s.created_at as "createdAt", s.last_used_at as "lastUsedAt",
      s.idle_expires_at as "idleExpiresAt", s.expires_at as "expiresAt",
      host(s.client_address) as "clientAddress", s.user_agent as "userAgent"
    from sessions s where s.user_id = $1 and ${liveOfUser} order by s.created_at desc, s.id`,
};

const deleteDead = {
  name: "session.delete-dead",
  text: `delete from sessions where handle_hash = any(array(
      select handle_hash from sessions
      where least(ended_at, expires_at, idle_expires_at) < now() - $1::int * interval '1 second' limit $2
      for update skip locked
    )) returning 1`,
};

/** The rotations of a session as `rotationColumns` selects them. */
export interface RotationRow extends Omit<RotationState, "generation"> {
  readonly generation: string;
}

interface RefreshRow extends TokenUserRow, IssueTimes, RotationRow {
  readonly sessionId: SessionId;
  readonly clientId: string;
  readonly scopes: string[];
  readonly amr: AuthMethod[];
  readonly endsAt: number;
  readonly lateFrom: string;
}

/**
 * The sessions in Postgres. What belongs to a change takes the transaction of its use case first. Three statements
 * span tables: `begin` locks the user and the client that the session is for, and what finds a session joins its user.
 * Each decides a race or saves a round trip, and could not do so as two.
 */
export interface SessionStore {
  /**
   * Begins a session; null if the user's counter or status has changed since it was read, or the client has been
   * deleted. It locks the user's row: of logins side by side each sees the sessions of those before it.
   */
  begin(tx: Queryable, session: NewSession): Promise<IssueTimes | null>;
  /** Ends a user's oldest live sessions, so that so many are left; answers which. */
  endOldest(tx: Queryable, userId: string, leftMax: number): Promise<readonly EndedSession[]>;
  /** The user of a session, where both live now. */
  findLiveUser(sessionId: string, userId: string): Promise<UserProfile | null>;
  /** A session with its user, where both live now. */
  findForRefresh(handleHash: Buffer): Promise<LiveSession | null>;
  /** The client that began a session, whether or not it lives; null where there is no such session. */
  findClientId(handleHash: Buffer): Promise<string | null>;
  /** Moves the counter on; null where the session is no longer as it was when the decision was made. */
  rotate(rotation: Rotation): Promise<IssueTimes | null>;
  /** Takes late answers away; false where they are gone already, or the session has ended. */
  limitLate(tx: Queryable, limit: LateLimit): Promise<boolean>;
  /** Ends a session, expired or not; null where it had ended before. */
  endByHandle(tx: Queryable, handleHash: Buffer): Promise<EndedSession | null>;
  /** Ends one of a user's live sessions; null where there is no such one. */
  endById(tx: Queryable, userId: string, sessionId: string): Promise<EndedSession | null>;
  /**
   * Ends all sessions of users; answers how many. A statement of the same transaction must have locked the users' rows
   * and counted up before: this one then sees a session whose login held such a row.
   */
  endAllOf(tx: Queryable, userIds: readonly string[]): Promise<number>;
  /** Ends at most `limit` sessions that a client began; answers how many. */
  endOfClient(tx: Queryable, clientId: string, limit: number): Promise<number>;
  /** A user's live sessions, the newest first. */
  listLive(userId: string): Promise<Session[]>;
  /** Deletes sessions that ended or expired longer ago than so many seconds; answers how many, at most `limit`. */
  deleteDead(olderThanSeconds: number, limit: number): Promise<number>;
}

/** @param db the pool, for what is asked outside of a transaction */
export function createSessionStore(db: Queryable & LookUps): SessionStore {
  return {
    async begin(tx, session) {
      const [row] = await tx.query<IssueTimes>(begin, beginValues(session));
      return row ?? null;
    },
    endOldest: (tx, userId, leftMax) => tx.query<EndedSession>(endOldest, [userId, leftMax]),
    async findLiveUser(sessionId, userId) {
      const row = await db.lookUp<ProfileRow>(findLiveUser, sessionId);
      return row?.id === userId ? profileFromRow(row) : null;
    },
    async findForRefresh(handleHash) {
      const row = await db.lookUp<RefreshRow>(findForRefresh, handleHash);
      if (row === null) return null;
      return liveSessionOf(row);
    },
    async findClientId(handleHash) {
      const [row] = await db.query<{ readonly clientId: string }>(findClientId, [handleHash]);
      return row?.clientId ?? null;
    },
    async rotate(rotation) {
      const [row] = await db.query<IssueTimes>(rotate, [
        rotation.handleHash,
        rotation.from.toString(),
        rotation.steps.toString(),
        rotation.secretKeyId,
        rotation.idleTtlSeconds,
        rotation.origin,
      ]);
      return row ?? null;
    },
    async limitLate(tx, { handleHash, generation, lateFrom }) {
      const values = [handleHash, generation.toString(), lateFrom.toString()];
      return (await tx.query(limitLate, values)).length > 0;
    },
    endByHandle: async (tx, handleHash) =>
      (await tx.query<EndedSession>(endByHandle, [handleHash]))[0] ?? null,
    endById: async (tx, userId, sessionId) =>
      (await tx.query<EndedSession>(endById, [userId, sessionId]))[0] ?? null,
    endAllOf: async (tx, userIds) => (await tx.query(endAllOf, [userIds])).length,
    endOfClient: async (tx, clientId, limit) => (await tx.query(endOfClient, [clientId, limit])).length,
    listLive: (userId) => db.query<Session>(listLive, [userId]),
    deleteDead: async (olderThanSeconds, limit) =>
      (await db.query(deleteDead, [olderThanSeconds, limit])).length,
  };
}

function liveSessionOf(row: RefreshRow): LiveSession {
  const { sessionId, clientId, scopes, amr, generation, secretKeyId, rotationOrigin, rotationAgesMs } = row;
  const { lateFrom, issuedAt, authTime, expiresAt, endsAt } = row;
  return {
    id: sessionId,
    clientId,
    scopes,
    amr,
    generation: BigInt(generation),
    secretKeyId,
    rotationOrigin,
    rotationAgesMs,
    lateFrom: BigInt(lateFrom),
    issuedAt,
    authTime,
    expiresAt,
    endsAt,
    user: tokenUserFromRow(row),
  };
}

function beginValues(session: NewSession): unknown[] {
  return [
    session.handleHash,
    session.id,
    session.userId,
    session.sessionEpoch,
    session.clientId,
    session.scopes,
    session.secretKeyId,
    session.idleTtlSeconds,
    session.maxTtlSeconds,
    session.origin.clientAddress,
    session.origin.userAgent,
    session.clientRegistration,
    session.amr,
  ];
}
