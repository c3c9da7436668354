import type { Config } from "../config/config.ts";
import { type Events, noEvents } from "../domain/events.ts";
import { createInstances, type Instances } from "../domain/instance/instances.ts";
import { createInstanceStore } from "../domain/instance/instance-store.ts";
import { createHashQueue, type HashQueue } from "../domain/password/queue/hash-queue.ts";
import { createQueuedHashing, type Hashing } from "../domain/password/queue/hashing.ts";
import type { Buckets } from "../domain/throttle/buckets.ts";
import { asBuckets, createMemoryBuckets, type MemoryBuckets } from "../domain/throttle/memory-buckets.ts";
import type { HashEngine } from "../hashing/hash-work.ts";
import type { Database } from "../postgres/pool.ts";

/** Whom or what a process remembers for a moment. */
export interface Remembered {
  readonly kind: "user" | "client";
  readonly id: string;
}

/** What an instance has once, however many workers it has: a worker asks its supervisor. */
export interface Commons {
  readonly hashing: Hashing;
  /** The limits that are counted in memory. */
  readonly buckets: Buckets;
  /** How many instances use the database, this one among them, as last known. */
  instances(): number;
  /** Lets the instance's other workers forget what they remember of a user or a client; resolves when they have. */
  forget(what: Remembered): Promise<void>;
}

/** The same, where it is kept. */
export interface KeptCommons extends Commons {
  readonly hashQueue: HashQueue;
  readonly memoryBuckets: MemoryBuckets;
  readonly heartbeat: Instances;
}

/** About 30 MB where all are in use. */
const memoryBucketsMax = 100_000;

/**
 * Keeps it in this process.
 *
 * @param parts `engine` computes the hashes; `front` is what serves, and nobody by default; nor does anybody hear of what
 *   happens by default
 */
export function keepCommons(
  config: Config,
  parts: {
    readonly db: Database;
    readonly engine: HashEngine;
    readonly events?: Events;
    readonly front?: Pick<Commons, "forget">;
  },
): KeptCommons {
  const { events = noEvents, front } = parts;
  const hashQueue = createHashQueue({ ...config.hashing, events });
  const memoryBuckets = createMemoryBuckets({
    bucketsMax: memoryBucketsMax,
    onForgotten: () => events.emit("limits.bucket_forgotten", null),
  });
  const heartbeat = createInstances({ store: createInstanceStore(parts.db), events });
  return {
    hashQueue,
    memoryBuckets,
    heartbeat,
    hashing: createQueuedHashing(hashQueue, parts.engine),
    buckets: asBuckets(memoryBuckets),
    instances: () => heartbeat.count,
    forget: async (what) => front?.forget(what),
  };
}
