import { writeApart } from "../../../postgres/write-apart.ts";
import type { Events } from "../../events.ts";
import { movesOn } from "./decide-refresh.ts";
import type { PostgresRotationStore, UnsavedRotation } from "./postgres-rotation-store.ts";
import type { RotationState } from "./rotation-state.ts";
import type { AdvanceResult, RedisRotationStore } from "./redis-rotation-store.ts";

/** Saves in Postgres, shortly after the answer, the rotations that Redis made. */
export interface WriteBehind {
  /** Runs a refresh of a session in Redis, and keeps what comes of it for Postgres. Throws what it throws. */
  track(handleHash: Buffer, advance: () => Promise<AdvanceResult>): Promise<AdvanceResult>;
  /**
   * Saves in Postgres now what is kept of a session; false where nothing is.
   *
   * @throws AppError unavailable
   */
  save(handleHash: Buffer): Promise<boolean>;
  /** Saves everything that is kept, and then no more. */
  stop(): Promise<void>;
}

/** A session that this process has refreshed in Redis, and that is still marked there as unsaved. */
interface Entry {
  readonly handleHash: Buffer;
  readonly sinceMs: number;
  /** Refreshes whose outcome is not known yet. */
  underWay: number;
  /** Whether one of them failed, so that only Redis knows whether it moved the counter. */
  isUncertain: boolean;
  /** What Postgres is to save; null for nothing. */
  unsaved: UnsavedRotation | null;
}

const delayMs = 200;
const retryMs = 1_000;
const batchMax = 500;

/** Builds the write-behind between two stores. At most one entry is kept for each session. */
export function createWriteBehind(deps: {
  readonly redisRotations: Pick<RedisRotationStore, "clearUnsaved">;
  readonly postgresRotations: PostgresRotationStore;
  readonly events: Events;
}): WriteBehind {
  const { redisRotations, events } = deps;
  const entries = new Map<string, Entry>();
  let timer: NodeJS.Timeout | null = null;
  let flushing: Promise<void> = Promise.resolve();

  const schedule = (afterMs: number): void => {
    timer ??= setTimeout(() => {
      timer = null;
      flush().catch(() => undefined);
    }, afterMs).unref();
  };

  const open = (handleHash: Buffer): Entry => {
    const known = entries.get(keyOf(handleHash));
    if (known !== undefined) return known;
    const entry = { handleHash, sinceMs: performance.now(), underWay: 0, isUncertain: false, unsaved: null };
    entries.set(keyOf(handleHash), entry);
    return entry;
  };

  const flushAll = async (): Promise<void> => {
    const all = [...entries.values()];
    try {
      for (let from = 0; from < all.length; from += batchMax) {
        await saveBatch(all.slice(from, from + batchMax), deps);
      }
    } catch (error) {
      events.emit("rotations.save_failed", error);
      schedule(retryMs);
      throw error;
    } finally {
      const certain = forgetSaved(entries);
      redisRotations.clearUnsaved(certain).catch(() => undefined);
      reportWaiting(entries, events);
    }
    if (entries.size > 0) schedule(delayMs);
  };

  /** One at a time, so that no rotation is saved twice. */
  const flush = (): Promise<void> => {
    flushing = flushing.catch(() => undefined).then(flushAll);
    return flushing;
  };

  return {
    async track(handleHash, advance) {
      const entry = open(handleHash);
      entry.underWay += 1;
      try {
        const advanced = await advance();
        if (movesOn(advanced.decision)) entry.unsaved = newer(entry.unsaved, handleHash, advanced.state);
        return advanced;
      } catch (error) {
        entry.isUncertain = true;
        throw error;
      } finally {
        entry.underWay -= 1;
        schedule(delayMs);
      }
    },
    async save(handleHash) {
      const isWaiting = () => (entries.get(keyOf(handleHash))?.unsaved ?? null) !== null;
      if (!isWaiting()) return false;
      await flush();
      return true;
    },
    async stop() {
      if (timer !== null) clearTimeout(timer);
      await flush().catch(() => undefined);
      if (timer !== null) clearTimeout(timer);
    },
  };
}

async function saveBatch(
  batch: readonly Entry[],
  {
    postgresRotations,
    events,
  }: { readonly postgresRotations: PostgresRotationStore; readonly events: Events },
): Promise<void> {
  const sent = new Map(batch.map((entry) => [entry, entry.unsaved]));
  const unsaved = [...sent.values()].filter((rotation) => rotation !== null);
  if (unsaved.length === 0) return;
  const results = await writeApart(
    unsaved,
    (rotations) => postgresRotations.saveRotations(rotations),
    (_rotation, error) => events.emit("rotations.save_refused", error),
  );
  for (const session of results.flatMap(({ ended }) => ended)) events.emit("session.reused", session);
  const isBusy = new Set(results.flatMap(({ busy }) => busy).map(keyOf));
  for (const [entry, rotation] of sent) {
    // A rotation that came meanwhile waits for the next time.
    if (entry.unsaved === rotation && !isBusy.has(keyOf(entry.handleHash))) entry.unsaved = null;
  }
}

/**
 * Forgets what is saved.
 *
 * @returns the sessions whose marks in Redis can go: what is uncertain stays marked, for the sweep
 */
function forgetSaved(entries: Map<string, Entry>): Buffer[] {
  const saved = [...entries.values()].filter(({ unsaved, underWay }) => unsaved === null && underWay === 0);
  for (const { handleHash } of saved) entries.delete(keyOf(handleHash));
  return saved.filter(({ isUncertain }) => !isUncertain).map(({ handleHash }) => handleHash);
}

function reportWaiting(entries: ReadonlyMap<string, Entry>, events: Events): void {
  const waiting = [...entries.values()].filter(({ unsaved }) => unsaved !== null);
  // The oldest stands first.
  const sinceMs = waiting[0]?.sinceMs ?? performance.now();
  events.emit("rotations.waiting", {
    sessions: waiting.length,
    lagSeconds: (performance.now() - sinceMs) / 1000,
  });
}

/** Answers may overtake each other: the higher generation counts. */
function newer(known: UnsavedRotation | null, handleHash: Buffer, state: RotationState): UnsavedRotation {
  if (known !== null && known.state.generation > state.generation) return known;
  return { handleHash, state, readAtMs: performance.now() };
}

function keyOf(handleHash: Buffer): string {
  return handleHash.toString("base64url");
}
