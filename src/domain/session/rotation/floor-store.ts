import type { Database, Queryable } from "../../../postgres/pool.ts";
import type { Audit } from "../../audit/audit.ts";
import { byService } from "../../audit/audit-event.ts";
import { haveDiverged, type Line, mergeLines } from "./line.ts";
import type { SessionId } from "../session.ts";
import { type LineRow, lineColumns, liveSession } from "../session-store.ts";

/** A session's line as Redis told it. */
export interface LearnedLine {
  readonly handleHash: Buffer;
  readonly line: Line;
  /** When it was told, by this process' monotonic clock: the ages have grown since. */
  readonly learnedAtMs: number;
}

/** A session by its public names. */
export interface SessionName {
  readonly id: SessionId;
  readonly userId: string;
}

/** What became of lines that Postgres was told of. */
export interface Raised {
  /** Live sessions whose rows somebody else holds: they are to be told of again. */
  readonly busy: readonly Buffer[];
  /** Sessions that have ended, since the stores' lines had diverged. */
  readonly ended: readonly SessionName[];
}

/** The sessions' lines in Postgres: the floor below which no store's word counts. */
export interface FloorStore {
  /**
   * Brings lines of Redis' to Postgres, in a few statements for all of them. Each is merged with what
   * Postgres knows, so nothing is ever lowered, and saying it twice, or by two instances, does no harm.
   * What has ended stays ended.
   *
   * @throws AppError unavailable
   */
  raise(learned: readonly LearnedLine[]): Promise<Raised>;
}

// Never waits for a row: of two who wait for each other's rows, Postgres would refuse one.
const lock = {
  name: "floor.lock",
  text: `select s.handle_hash as "handleHash", s.id, s.user_id as "userId", ${lineColumns},
      coalesce(c.refresh_grace_ms, $2::int) as "graceMs"
    from sessions s left join clients c on c.id = s.client_id
    where s.handle_hash = any ($1::bytea[]) and ${liveSession}
    for no key update of s skip locked`,
};

const findLive = {
  name: "floor.find-live",
  text: `select s.handle_hash as "handleHash" from sessions s where s.handle_hash = any ($1::bytea[]) and ${liveSession}`,
};

const raise = {
  name: "floor.raise",
  text: `update sessions s set
      generation = l.generation, secret_key_id = l.secret_key_id, rotation_origin = decode(l.origin, 'hex'),
      rotated_at = array(select now() - age * interval '1 millisecond'
        from unnest(l.ages) with ordinality as a (age, i) order by i),
      last_used_at = greatest(s.last_used_at, l.used_at),
      idle_expires_at = least(s.expires_at, greatest(s.idle_expires_at, l.used_at + $6::int * interval '1 second'))
    from (
      select u.*, u.age_texts::float8[] as ages,
        now() - (u.age_texts::float8[])[cardinality(u.age_texts::float8[])] * interval '1 millisecond' as used_at
      from unnest($1::bytea[], $2::bigint[], $3::text[], $4::text[], $5::text[])
        as u (handle_hash, generation, secret_key_id, origin, age_texts)
    ) l
    where s.handle_hash = l.handle_hash`,
};

const end = {
  name: "floor.end",
  text: "update sessions set ended_at = now() where handle_hash = any ($1::bytea[])",
};

interface FloorRow extends LineRow, SessionName {
  readonly handleHash: Buffer;
  readonly graceMs: number;
}

interface Merged {
  readonly row: FloorRow;
  readonly line: Line;
  readonly diverged: boolean;
}

/**
 * A session whose stores have diverged ends in the transaction that found it, and so is the event written there. The
 * lock reads the client's own grace with the session: a round trip more for each batch would be the price of two.
 *
 * @param options `graceMs`: the grace of clients without their own
 */
export function createFloorStore(
  db: Pick<Database, "query" | "transaction">,
  options: {
    readonly graceMs: number;
    readonly idleTtlSeconds: number;
    readonly audit: Pick<Audit, "record">;
  },
): FloorStore {
  const endDiverged = async (tx: Queryable, diverged: readonly Merged[]): Promise<void> => {
    if (diverged.length === 0) return;
    await tx.query(end, [diverged.map(({ row }) => row.handleHash)]);
    for (const { row } of diverged) {
      const about = { userId: row.userId, sessionId: row.id, reason: "diverged" };
      await options.audit.record(tx, { type: "refresh.reused", ...byService, ...about });
    }
  };

  const raiseLocked = async (tx: Queryable, merged: readonly Merged[]): Promise<void> => {
    if (merged.length === 0) return;
    await tx.query(raise, [
      merged.map(({ row }) => row.handleHash),
      merged.map(({ line }) => line.generation.toString()),
      merged.map(({ line }) => line.secretKeyId),
      merged.map(({ line }) => line.rotationOrigin),
      merged.map(({ line }) => `{${line.rotationAgesMs.join(",")}}`),
      options.idleTtlSeconds,
    ]);
  };

  return {
    async raise(learned) {
      const told = new Map(learned.map((one) => [nameOf(one.handleHash), one]));
      const merged = await db.transaction(async (tx) => {
        const hashes = learned.map(({ handleHash }) => handleHash);
        const rows = await tx.query<FloorRow>(lock, [hashes, options.graceMs]);
        const met = rows.map((row) => meet(row, told.get(nameOf(row.handleHash))));
        await endDiverged(
          tx,
          met.filter(({ diverged }) => diverged),
        );
        await raiseLocked(
          tx,
          met.filter(({ diverged }) => !diverged),
        );
        return met;
      });
      for (const { row } of merged) told.delete(nameOf(row.handleHash));
      const missing = [...told.values()].map(({ handleHash }) => handleHash);
      const busy =
        missing.length === 0 ? [] : await db.query<Pick<FloorRow, "handleHash">>(findLive, [missing]);
      return {
        busy: busy.map(({ handleHash }) => handleHash),
        ended: merged.filter(({ diverged }) => diverged).map(({ row: { id, userId } }) => ({ id, userId })),
      };
    },
  };
}

/** Brings together what Postgres and Redis know. */
function meet(row: FloorRow, learned: LearnedLine | undefined): Merged {
  const floor = { ...row, generation: BigInt(row.generation) };
  if (learned === undefined) return { row, line: floor, diverged: false };
  const elapsedMs = performance.now() - learned.learnedAtMs;
  const line = {
    ...learned.line,
    rotationAgesMs: learned.line.rotationAgesMs.map((age) => age + elapsedMs),
  };
  return { row, line: mergeLines(line, floor), diverged: haveDiverged(line, floor, row.graceMs) };
}

function nameOf(handleHash: Buffer): string {
  return handleHash.toString("base64url");
}
