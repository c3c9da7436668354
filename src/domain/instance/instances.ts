import { randomUUID } from "node:crypto";
import type { Events } from "../events.ts";
import type { InstanceStore } from "./instance-store.ts";

/** How many instances of the service run on the database. */
export interface Instances {
  /** As last known, this one among them. */
  readonly count: number;
  /** Shows that this one lives, and counts the others. @throws AppError unavailable; the count stays then */
  beat(): Promise<void>;
  /** Takes this one away. @throws AppError unavailable */
  leave(): Promise<void>;
}

const staleSeconds = 15;

/** Counts by heartbeats. Others are known one beat after the start; while the database is away the count stays. */
export function createInstances(deps: { readonly store: InstanceStore; readonly events: Events }): Instances {
  const id = randomUUID();
  let count = 1;
  return {
    get count() {
      return count;
    },
    async beat() {
      const now = (await deps.store.beat(id, staleSeconds)) + 1;
      if (now === count) return;
      count = now;
      deps.events.emit("instances.changed", count);
    },
    leave: () => deps.store.leave(id),
  };
}
