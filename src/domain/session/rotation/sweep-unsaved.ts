import { writeApart } from "../../../postgres/write-apart.ts";
import type { FloorStore, LearnedLine, SessionName } from "./floor-store.ts";
import { type Claim, type LineStore, unsavedShards } from "./line-store.ts";

/** Longer than any write-behind takes while Postgres answers: what is older was left by a process that is gone. */
const leftBehindMs = 10_000;
const batchMax = 200;

/**
 * Finds in Redis what killed processes did not bring to Postgres, and brings it there. Any number of
 * instances may do so at once: what one has claimed the others leave alone, and where they do not it does
 * no harm.
 *
 * @returns one sweep. It throws AppError unavailable
 */
export function createUnsavedSweep(deps: {
  readonly lines: Pick<LineStore, "read" | "claimUnsaved" | "clearClaimed">;
  readonly floor: FloorStore;
  onDiverged(session: SessionName): void;
  /** PostgreSQL refuses what Redis knows of a session; it is not told of it again. */
  onRefused(error: unknown): void;
}): () => Promise<void> {
  const { lines, floor } = deps;

  const save = async (claim: Claim): Promise<void> => {
    const learned = await Promise.all(
      claim.unsaved.map(async ({ handleHash }): Promise<LearnedLine | null> => {
        const line = await lines.read(handleHash);
        return line === null ? null : { handleHash, line, learnedAtMs: performance.now() };
      }),
    );
    const raised = await writeApart(
      learned.filter((one) => one !== null),
      (known) => floor.raise(known),
      (_line, error) => deps.onRefused(error),
    );
    for (const session of raised.flatMap(({ ended }) => ended)) deps.onDiverged(session);
    const busy = raised.flatMap((each) => each.busy);
    const unsaved = claim.unsaved.filter(
      ({ handleHash }) => !busy.some((busyHash) => busyHash.equals(handleHash)),
    );
    await lines.clearClaimed({ ...claim, unsaved });
  };

  return async () => {
    for (let shard = 0; shard < unsavedShards; shard += 1) {
      let claim: Claim;
      do {
        claim = await lines.claimUnsaved(shard, leftBehindMs, batchMax);
        if (claim.unsaved.length > 0) await save(claim);
      } while (claim.unsaved.length === batchMax);
    }
  };
}
