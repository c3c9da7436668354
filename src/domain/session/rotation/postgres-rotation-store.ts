import type { Database, Queryable } from "../../../postgres/pool.ts";
import type { Audit } from "../../audit/audit.ts";
import { byService } from "../../audit/audit-event.ts";
import { haveDiverged, type RotationState, mergeRotations } from "./rotation-state.ts";
import type { SessionRef } from "../session.ts";
import { type RotationRow, rotationColumns, liveSession } from "../session-store.ts";

/** What Redis knows of a session and Postgres perhaps does not. */
export interface UnsavedRotation {
  readonly handleHash: Buffer;
  readonly state: RotationState;
  /** When Redis said so, by this process' monotonic clock: the ages have grown since. */
  readonly readAtMs: number;
}

/** What became of rotations that were to be saved. */
export interface SaveResult {
  /** Live sessions whose rows somebody else has locked: they are to be saved again. */
  readonly busy: readonly Buffer[];
  /** Sessions that have ended, since the stores had diverged. */
  readonly ended: readonly SessionRef[];
}

/** The rotations of sessions in Postgres: no generation below what it knows counts, whatever Redis says. */
export interface PostgresRotationStore {
  /**
   * Saves rotations that Redis made, in a few statements for all of them. Each is merged with what
   * Postgres knows, so nothing is ever lowered, and saving it twice, or by two instances, does no harm.
   * What has ended stays ended.
   *
   * @throws AppError unavailable
   */
  saveRotations(unsaved: readonly UnsavedRotation[]): Promise<SaveResult>;
}

// Never waits for a row: of two who wait for each other's rows, Postgres would refuse one.
const lock = {
  name: "rotation.lock",
  text: `select s.handle_hash as "handleHash", s.id, s.user_id as "userId", ${rotationColumns},
      coalesce(c.refresh_grace_ms, $2::int) as "graceMs"
    from sessions s left join clients c on c.id = s.client_id
    where s.handle_hash = any ($1::bytea[]) and ${liveSession}
    for no key update of s skip locked`,
};

const findLive = {
  name: "rotation.find-live",
  text: `select s.handle_hash as "handleHash" from sessions s where s.handle_hash = any ($1::bytea[]) and ${liveSession}`,
};

const save = {
  name: "rotation.save",
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
  name: "rotation.end",
  text: "update sessions set ended_at = now() where handle_hash = any ($1::bytea[])",
};

interface LockedRow extends RotationRow, SessionRef {
  readonly handleHash: Buffer;
  readonly graceMs: number;
}

interface Merged {
  readonly row: LockedRow;
  readonly state: RotationState;
  readonly diverged: boolean;
}

/**
 * A session whose stores have diverged ends in the transaction that found it, and so is the event written there. The
 * lock reads the client's own grace with the session: a round trip more for each batch would be the price of two.
 *
 * @param options `graceMs`: the grace of clients without their own
 */
export function createPostgresRotationStore(
  db: Pick<Database, "query" | "transaction">,
  options: {
    readonly graceMs: number;
    readonly idleTtlSeconds: number;
    readonly audit: Pick<Audit, "record">;
  },
): PostgresRotationStore {
  const endDiverged = async (tx: Queryable, diverged: readonly Merged[]): Promise<void> => {
    if (diverged.length === 0) return;
    await tx.query(end, [diverged.map(({ row }) => row.handleHash)]);
    for (const { row } of diverged) {
      const about = { userId: row.userId, sessionId: row.id, reason: "diverged" };
      await options.audit.record(tx, { type: "refresh.reused", ...byService, ...about });
    }
  };

  const saveLocked = async (tx: Queryable, merged: readonly Merged[]): Promise<void> => {
    if (merged.length === 0) return;
    await tx.query(save, [
      merged.map(({ row }) => row.handleHash),
      merged.map(({ state }) => state.generation.toString()),
      merged.map(({ state }) => state.secretKeyId),
      merged.map(({ state }) => state.rotationOrigin),
      merged.map(({ state }) => `{${state.rotationAgesMs.join(",")}}`),
      options.idleTtlSeconds,
    ]);
  };

  return {
    async saveRotations(unsaved) {
      const toSave = new Map(unsaved.map((one) => [nameOf(one.handleHash), one]));
      const merged = await db.transaction(async (tx) => {
        const hashes = unsaved.map(({ handleHash }) => handleHash);
        const rows = await tx.query<LockedRow>(lock, [hashes, options.graceMs]);
        const locked = rows.map((row) => mergeWithRow(row, toSave.get(nameOf(row.handleHash))));
        await endDiverged(
          tx,
          locked.filter(({ diverged }) => diverged),
        );
        await saveLocked(
          tx,
          locked.filter(({ diverged }) => !diverged),
        );
        return locked;
      });
      for (const { row } of merged) toSave.delete(nameOf(row.handleHash));
      const missing = [...toSave.values()].map(({ handleHash }) => handleHash);
      const busy =
        missing.length === 0 ? [] : await db.query<Pick<LockedRow, "handleHash">>(findLive, [missing]);
      return {
        busy: busy.map(({ handleHash }) => handleHash),
        ended: merged.filter(({ diverged }) => diverged).map(({ row: { id, userId } }) => ({ id, userId })),
      };
    },
  };
}

/** Merges what Redis knows with what Postgres does. */
function mergeWithRow(row: LockedRow, unsaved: UnsavedRotation | undefined): Merged {
  const inPostgres = { ...row, generation: BigInt(row.generation) };
  if (unsaved === undefined) return { row, state: inPostgres, diverged: false };
  const elapsedMs = performance.now() - unsaved.readAtMs;
  const inRedis = {
    ...unsaved.state,
    rotationAgesMs: unsaved.state.rotationAgesMs.map((age) => age + elapsedMs),
  };
  return {
    row,
    state: mergeRotations(inRedis, inPostgres),
    diverged: haveDiverged(inRedis, inPostgres, row.graceMs),
  };
}

function nameOf(handleHash: Buffer): string {
  return handleHash.toString("base64url");
}
