import { writeApart } from "../../../postgres/write-apart.ts";
import type { FloorStore, LearnedLine, SessionName } from "./floor-store.ts";
import type { Line } from "./line.ts";
import type { Advanced, LineStore } from "./line-store.ts";

/** Brings to Postgres, shortly after the answer, what Redis has moved on. */
export interface WriteBehind {
  /** Runs a refresh of a session in Redis, and keeps what comes of it for Postgres. Throws what it throws. */
  track(handleHash: Buffer, advance: () => Promise<Advanced>): Promise<Advanced>;
  /**
   * Brings what is kept of a session to Postgres now; false where nothing is.
   *
   * @throws AppError unavailable
   */
  save(handleHash: Buffer): Promise<boolean>;
  /** Brings everything that is kept to Postgres, and then no more. */
  stop(): Promise<void>;
}

/** Told of what waits to be brought to Postgres. */
export interface WriteBehindObserver {
  /** @param lagSeconds how long the oldest has waited; 0 where none waits */
  onWaiting(sessions: number, lagSeconds: number): void;
  /** What waits could not be brought to Postgres; it is tried again. */
  onSaveFailed(error: unknown): void;
  /** PostgreSQL refuses what Redis knows of a session: it is not told of it again before the next rotation. */
  onSaveRefused(error: unknown): void;
  /** A token was used again after its grace, or the stores had diverged; the session has ended. */
  onReuse(session: SessionName): void;
}

/** A session that this process has refreshed in Redis and that is still written down there as unsaved. */
interface Entry {
  readonly handleHash: Buffer;
  readonly sinceMs: number;
  /** Refreshes whose outcome is not known yet. */
  underWay: number;
  /** Whether one of them failed, so that only Redis knows whether it moved the counter. */
  isUncertain: boolean;
  /** What Postgres is to be told; null for nothing. */
  learned: LearnedLine | null;
}

const delayMs = 200;
const retryMs = 1_000;
const batchMax = 500;

/** Builds the write-behind between two stores. At most one entry is kept for each session. */
export function createWriteBehind(deps: {
  readonly lines: Pick<LineStore, "markUnsaved" | "clearUnsaved">;
  readonly floor: FloorStore;
  readonly observer: WriteBehindObserver;
}): WriteBehind {
  const { lines, observer } = deps;
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
    // Sent before the refresh, in the same tick: a process that is killed in between leaves it behind. Sent each
    // time, so that nobody who took the last one for saved takes it out.
    lines.markUnsaved(handleHash).catch(() => undefined);
    const known = entries.get(keyOf(handleHash));
    if (known !== undefined) return known;
    const entry = { handleHash, sinceMs: performance.now(), underWay: 0, isUncertain: false, learned: null };
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
      observer.onSaveFailed(error);
      schedule(retryMs);
      throw error;
    } finally {
      const certain = forgetSaved(entries);
      lines.clearUnsaved(certain).catch(() => undefined);
      tellWaiting(entries, observer);
    }
    if (entries.size > 0) schedule(delayMs);
  };

  /** One at a time, so that a line is not told twice. */
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
        if (isMove(advanced)) entry.learned = newer(entry.learned, handleHash, advanced.line);
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
      const isWaiting = () => (entries.get(keyOf(handleHash))?.learned ?? null) !== null;
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
  { floor, observer }: { readonly floor: FloorStore; readonly observer: WriteBehindObserver },
): Promise<void> {
  const told = new Map(batch.map((entry) => [entry, entry.learned]));
  const learned = [...told.values()].filter((line) => line !== null);
  if (learned.length === 0) return;
  const raised = await writeApart(
    learned,
    (lines) => floor.raise(lines),
    (_line, error) => observer.onSaveRefused(error),
  );
  for (const session of raised.flatMap(({ ended }) => ended)) observer.onReuse(session);
  const isBusy = new Set(raised.flatMap(({ busy }) => busy).map(keyOf));
  for (const [entry, line] of told) {
    // What was learned meanwhile waits for the next time.
    if (entry.learned === line && !isBusy.has(keyOf(entry.handleHash))) entry.learned = null;
  }
}

/**
 * Forgets what is saved.
 *
 * @returns the sessions that need not be written down in Redis any more: what is uncertain stays there, for
 *   whoever sweeps
 */
function forgetSaved(entries: Map<string, Entry>): Buffer[] {
  const saved = [...entries.values()].filter(({ learned, underWay }) => learned === null && underWay === 0);
  for (const { handleHash } of saved) entries.delete(keyOf(handleHash));
  return saved.filter(({ isUncertain }) => !isUncertain).map(({ handleHash }) => handleHash);
}

function tellWaiting(entries: ReadonlyMap<string, Entry>, observer: WriteBehindObserver): void {
  const waiting = [...entries.values()].filter(({ learned }) => learned !== null);
  // The oldest stands first.
  const sinceMs = waiting[0]?.sinceMs ?? performance.now();
  observer.onWaiting(waiting.length, (performance.now() - sinceMs) / 1000);
}

function isMove({ decision }: Advanced): boolean {
  return decision === "rotate" || decision === "catch_up";
}

/** Answers may overtake each other: the higher generation counts. */
function newer(known: LearnedLine | null, handleHash: Buffer, line: Line): LearnedLine {
  if (known !== null && known.line.generation > line.generation) return known;
  return { handleHash, line, learnedAtMs: performance.now() };
}

function keyOf(handleHash: Buffer): string {
  return handleHash.toString("base64url");
}
