import { writeApart } from "../../../postgres/write-apart.ts";
import type { Events } from "../../events.ts";
import type { PostgresRotationStore, UnsavedRotation } from "./postgres-rotation-store.ts";
import type { RedisRotationStore, UnsavedBatch } from "./redis-rotation-store.ts";
import { unsavedShards } from "./unsaved-shards.ts";

/** Longer than any write-behind takes while Postgres answers: what is older was left by a process that is gone. */
const leftBehindMs = 10_000;
const batchMax = 200;

/**
 * Finds in Redis the rotations that killed processes did not save in Postgres, and saves them. Any number of
 * instances may do so at once: what one has taken the others leave alone, and where they do not it does
 * no harm.
 *
 * @returns one sweep. It throws AppError unavailable
 */
export function createUnsavedSweep(deps: {
  readonly redisRotations: Pick<RedisRotationStore, "read" | "takeUnsaved" | "clearTaken">;
  readonly postgresRotations: PostgresRotationStore;
  readonly events: Events;
}): () => Promise<void> {
  const { redisRotations, postgresRotations, events } = deps;

  const save = async (batch: UnsavedBatch): Promise<void> => {
    const rotations = await Promise.all(
      batch.unsaved.map(async ({ handleHash }): Promise<UnsavedRotation | null> => {
        const state = await redisRotations.read(handleHash);
        return state === null ? null : { handleHash, state, readAtMs: performance.now() };
      }),
    );
    const results = await writeApart(
      rotations.filter((rotation) => rotation !== null),
      (unsaved) => postgresRotations.saveRotations(unsaved),
      (_rotation, error) => events.emit("rotations.save_refused", error),
    );
    for (const session of results.flatMap(({ ended }) => ended)) events.emit("session.reused", session);
    const busy = results.flatMap((each) => each.busy);
    const unsaved = batch.unsaved.filter(
      ({ handleHash }) => !busy.some((busyHash) => busyHash.equals(handleHash)),
    );
    await redisRotations.clearTaken({ ...batch, unsaved });
  };

  return async () => {
    for (let shard = 0; shard < unsavedShards; shard += 1) {
      let batch: UnsavedBatch;
      do {
        batch = await redisRotations.takeUnsaved(shard, leftBehindMs, batchMax);
        if (batch.unsaved.length > 0) await save(batch);
      } while (batch.unsaved.length === batchMax);
    }
  };
}
