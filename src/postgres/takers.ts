import type { WorkKind } from "../lib/work.ts";
import type { Connection } from "./connection.ts";
import { unavailable } from "./failures.ts";
import { createPermits } from "./permits.ts";

/** Callers that need a connection: they wait first for a permit, then for the connection itself. */
export interface Takers {
  readonly waiting: number;
  /** How many have a permit and now wait for a connection. */
  readonly permitted: number;
  /** When the longest-waiting caller began to wait, by performance.now(); Infinity if none waits. */
  readonly oldest: number;
  /** @throws AppError `unavailable` when the time is over, or when all waiting callers are failed */
  ask(kind: WorkKind, time: Patience): Promise<Connection>;
  /** Takes a permit for a caller that already has a connection; false if it would have to wait. */
  take(kind: WorkKind): boolean;
  /** Gives a connection to the first caller with a permit. There must be one. */
  give(connection: Connection): void;
  /** Fails all waiting callers, or all that have a permit. */
  failAll(cause: unknown): void;
  failPermitted(cause: unknown): void;
  /** A caller with a permit has returned its connection. */
  release(kind: WorkKind): void;
}

/** How long a caller waits. */
export interface Patience {
  readonly timeoutMs: number;
  /** Why there was no connection, when the time is over. */
  cause(): unknown;
}

interface Taker {
  take(connection: Connection): void;
  fail(cause: unknown): void;
}

/** @param onPermitted a caller got its permit, and now waits for a connection */
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
