import { randomUUID } from "node:crypto";
import type { InstanceStore } from "./instance-store.ts";

/** How many instances of the service run on the database. */
export interface Instances {
  /** As last known, this one among them. */
  readonly count: number;
  start(): void;
  /** Ends the beats, and takes this one's away. */
  stop(): Promise<void>;
}

const periodMs = 5_000;
const staleSeconds = 15;

/** Counts by heartbeats. Others are known one beat after the start; while the database is away the count stays. */
export function createInstances(deps: {
  readonly store: InstanceStore;
  onChange(count: number): void;
}): Instances {
  const id = randomUUID();
  let count = 1;
  let timer: NodeJS.Timeout | undefined;
  let beating: Promise<void> = Promise.resolve();

  const beat = async (): Promise<void> => {
    // Without a database nobody signs in either, and health tells of it.
    const others = await deps.store.beat(id, staleSeconds).catch(() => count - 1);
    if (others + 1 !== count) {
      count = others + 1;
      deps.onChange(count);
    }
  };

  return {
    get count() {
      return count;
    },
    start() {
      const run = (): void => {
        beating = beat();
      };
      run();
      timer = setInterval(run, periodMs).unref();
    },
    async stop() {
      clearInterval(timer);
      await beating;
      await deps.store.leave(id).catch(() => undefined);
    },
  };
}
