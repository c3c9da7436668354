import type { QueryConfig, QueryResult } from "pg";
import type { Connection } from "./connection.ts";
import { type DatabaseObserver, observeStatement } from "./observer.ts";
import { beginScript, patienceMarginMs, type TransactionLimits } from "./session-settings.ts";

/** A connection that is one caller's until it is released, or until the caller's time is over. */
export interface Lease {
  /**
   * Whether a statement alone must bring its own limits: behind a pooler, or where most of the caller's time
   * went by in the queue.
   */
  readonly needsFrame: boolean;
  /** The first statement of a transaction. */
  beginScript(limits?: TransactionLimits): string;
  /** @param timeoutMs gives the caller so much more time, from now on */
  run(query: QueryConfig, timeoutMs?: number): Promise<QueryResult>;
  /** Undoes the transaction under way. */
  rollBack(): Promise<void>;
  release(): void;
}

/** What a lease needs of the pool. */
export interface LeaseOptions {
  readonly connection: Connection;
  /** When the caller's time is over, by performance.now(). */
  readonly deadlineMs: number;
  readonly statementTimeoutMs: number;
  /** Whether named statements are kept by the server's session. */
  readonly isPrepared: boolean;
  readonly observer: DatabaseObserver;
  /** Told of what a statement failed with. */
  onFailure(error: unknown): void;
  /** Called once: the connection is nobody's any more. */
  onFinished(isUsable: boolean): void;
}

/** A caller whose time is nearly all left has the limits of the session. */
const wholeShare = 0.9;

/**
 * Leases a connection. The caller's time and the connection's are apart: a caller is told at its deadline, and the
 * connection comes back when the server has answered all that it was asked, or is given up a second later.
 */
export function createLease(options: LeaseOptions): Lease {
  const { connection, observer, statementTimeoutMs } = options;
  const underWay = new Set<(error: Error) => void>();
  let pending = 0;
  let isExpired = false;
  let isReleased = false;
  let isFinished = false;
  let linger: NodeJS.Timeout | undefined;
  let expiry = expireAt(options.deadlineMs);

  function expireAt(deadlineMs: number): NodeJS.Timeout {
    // Timers run before sockets are read, immediates after: what has arrived counts.
    return setTimeout(() => setImmediate(expire), Math.max(0, deadlineMs - performance.now()));
  }

  function expire(): void {
    if (isExpired || isFinished) return;
    isExpired = true;
    linger = setTimeout(() => giveUp(), patienceMarginMs);
    for (const reject of underWay) reject(tooLate());
    settle();
  }

  function giveUp(): void {
    if (isFinished) return;
    connection.cancel();
    finish(false);
  }

  function settle(): void {
    if (isReleased && pending === 0) finish(!connection.isOver && !connection.isInTransaction);
  }

  function finish(isUsable: boolean): void {
    if (isFinished) return;
    isFinished = true;
    clearTimeout(expiry);
    clearTimeout(linger);
    options.onFinished(isUsable);
  }

  function send(query: QueryConfig): Promise<QueryResult> {
    const sent = options.isPrepared ? query : { text: query.text, values: query.values ?? [] };
    pending += 1;
    return connection.query(sent).then(
      (result) => {
        pending -= 1;
        settle();
        return result;
      },
      (error: unknown) => {
        pending -= 1;
        options.onFailure(error);
        settle();
        throw error;
      },
    );
  }

  function untilExpired<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      underWay.add(reject);
      work.then(resolve, reject).finally(() => underWay.delete(reject));
    });
  }

  return {
    get needsFrame() {
      return connection.isPooled || remaining() < wholeShare * statementTimeoutMs;
    },
    beginScript(limits = {}) {
      const isShort = limits.statementTimeoutMs === undefined && remaining() < wholeShare * statementTimeoutMs;
      const session = { isPooled: connection.isPooled, timeoutMs: statementTimeoutMs };
      return beginScript(session, isShort ? { ...limits, statementTimeoutMs: remaining() } : limits);
    },
    run(query, timeoutMs) {
      if (isFinished || isExpired) return Promise.reject(tooLate());
      if (timeoutMs !== undefined) {
        clearTimeout(expiry);
        expiry = expireAt(performance.now() + timeoutMs + patienceMarginMs);
      }
      return observeStatement(observer, query, () => untilExpired(send(query)));
    },
    async rollBack() {
      if (isFinished || connection.isOver) return;
      const query = { text: "ROLLBACK" };
      const undone = observeStatement(observer, query, () => send(query)).then(
        () => undefined,
        () => undefined,
      );
      if (!isExpired) await untilExpired(undone).catch(() => undefined);
    },
    release() {
      isReleased = true;
      // Whoever lets go without waiting for all that was asked has no time left either.
      if (pending > 0) expire();
      settle();
    },
  };

  /** At least a millisecond: 0 would be no limit at all. */
  function remaining(): number {
    return Math.max(1, options.deadlineMs - performance.now());
  }
}

/** What a caller is told whose time is over; see `toStoreError`. */
export function tooLate(): Error {
  return new Error("timeout exceeded: the statement was not answered in the caller's time");
}
