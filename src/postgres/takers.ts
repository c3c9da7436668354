import type { WorkKind } from "../lib/work.ts";
import type { Connection } from "./connection.ts";
import { unavailable } from "./failures.ts";
import { createPermits } from "./permits.ts";

/** Those who ask for a connection: first for a permit, then for the connection itself. */
export interface Takers {
  readonly waiting: number;
  /** Those who have a permit, and wait for a connection alone. */
  readonly permitted: number;
  /** When the one who waits longest came, by performance.now(); Infinity for nobody. */
  readonly oldest: number;
  /** @throws AppError `unavailable` when the time is over, or when those who wait are told to go */
  ask(kind: WorkKind, time: Patience): Promise<Connection>;
  /** A permit for somebody who has a connection at hand; false where one has to be waited for. */
  take(kind: WorkKind): boolean;
  /** Gives a connection to the first who has a permit. To be called where there is one. */
  give(connection: Connection): void;
  /** Tells all who wait, or all who have a permit, that there will be none. */
  failAll(cause: unknown): void;
  failPermitted(cause: unknown): void;
  /** The connection of one who had a permit is nobody's any more. */
  release(kind: WorkKind): void;
}

/** How long one waits. */
export interface Patience {
  readonly timeoutMs: number;
  /** What was in the way when the time is over. */
  cause(): unknown;
}

interface Taker {
  take(connection: Connection): void;
  fail(cause: unknown): void;
}

/** @param onPermitted somebody waits for a connection alone */
export function createTakers(max: number, onPermitted: () => void): Takers {
  const permits = createPermits(max);
  const waiting = new Map<Taker, number>();
  const permitted = new Set<Taker>();

  function ask(kind: WorkKind, patience: Patience): Promise<Connection> {
    return new Promise((resolve, reject) => {
      let withdraw = (): unknown => undefined;
      const leave = (): boolean => {
        clearTimeout(timer);
        waiting.delete(taker);
        withdraw();
        return permitted.delete(taker);
      };
      const taker: Taker = {
        take(connection) {
          leave();
          resolve(connection);
        },
        fail(error) {
          if (leave()) permits.release(kind);
          reject(unavailable(error));
        },
      };
      const expire = (): void => {
        if (waiting.has(taker)) taker.fail(patience.cause());
      };
      // Timers run before sockets are read, immediates after: what has arrived counts.
      const timer = setTimeout(() => setImmediate(expire), patience.timeoutMs);
      waiting.set(taker, performance.now());
      withdraw = permits.request(kind, () => {
        permitted.add(taker);
        onPermitted();
      });
    });
  }

  return {
    get waiting() {
      return waiting.size;
    },
    get permitted() {
      return permitted.size;
    },
    get oldest() {
      const [since = Infinity] = waiting.values();
      return since;
    },
    ask,
    take: (kind) => permitted.size === 0 && permits.take(kind),
    give(connection) {
      const [taker] = permitted;
      if (taker === undefined) throw new Error("Nobody waits for a connection.");
      taker.take(connection);
    },
    failAll(cause) {
      for (const taker of waiting.keys()) taker.fail(cause);
    },
    failPermitted(cause) {
      for (const taker of permitted) taker.fail(cause);
    },
    release: (kind) => permits.release(kind),
  };
}
