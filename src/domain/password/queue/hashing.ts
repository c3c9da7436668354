import type { HashEngine, HashWork } from "../../../hashing/hash-work.ts";
import { AppError } from "../../../errors/app-error.ts";
import type { Admission } from "./admission.ts";
import type { HashQueue } from "./hash-queue.ts";

/** Computes password hashes, each when its turn has come. */
export interface Hashing {
  /**
   * Resolves with an Error where the engine does not take the work: a stored hash may have any parameters.
   *
   * @param works done one after the other in one turn; the first is the hash that is asked for
   * @param onStart called when the turn has come
   * @throws AppError overloaded where there is no room, unavailable if the hashing process has ended meanwhile; who has
   *   gone gets the reason of the signal
   */
  run(works: readonly HashWork[], admission: Admission, onStart?: () => void): Promise<Uint8Array | Error>;
  /** Refuses now what `run` would refuse, before anything else is spent on it. @throws AppError overloaded */
  requireRoom(admission: Admission): Promise<void>;
}

/** Hashes by an engine that the queue of this process stands before. */
export function createQueuedHashing(
  queue: Pick<HashQueue, "run" | "requireRoom">,
  engine: HashEngine,
): Hashing {
  return {
    run: ([first, ...others], admission, onStart) =>
      queue.run(async () => {
        if (first === undefined) throw new Error("there is nothing to hash");
        onStart?.();
        const hash = await engine.run(first).catch(asRefusal);
        for (const work of others) await engine.run(work);
        return hash;
      }, admission),
    requireRoom: async (admission) => queue.requireRoom(admission),
  };
}

/** What failed for want of the hashing process may succeed when it is tried again. */
function asRefusal(error: unknown): Error {
  if (error instanceof AppError || !Error.isError(error)) throw error;
  return error;
}
