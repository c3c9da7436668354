import type { QueryConfig, QueryResult } from "pg";
import type { Connection } from "./connection.ts";
import { type DatabaseObserver, observeStatement } from "./observer.ts";
import { beginScript, patienceMarginMs, type TransactionLimits } from "./session-settings.ts";

/** A connection that belongs to one caller until it is released, or until the caller's time is over. */
export interface Lease {
  /**
   * Whether a single statement must set its own limits: behind a pooler, or if part of the caller's time has already
   * passed.
   */
  readonly needsFrame: boolean;
  /** The first statement of a transaction. */
  beginScript(limits?: TransactionLimits): string;
  /** @param timeoutMs extends the caller's time to this much from now on */
  run(query: QueryConfig, timeoutMs?: number): Promise<QueryResult>;
  /** Undoes the open transaction. */
  rollBack(): Promise<void>;
  release(): void;
}

/** What a lease needs of the pool. */
export interface LeaseOptions {
  readonly connection: Connection;
  /** When the caller's time is over, by performance.now(). */
  readonly deadlineMs: number;
  readonly statementTimeoutMs: number;
  /** Whether the server's session keeps named statements. */
  readonly isPrepared: boolean;
  readonly observer: DatabaseObserver;
  /** Called with the error of each statement that fails. */
  readonly onFailure: (error: unknown) => void;
  /** Called once, when the connection is free again. */
  onFinished(isUsable: boolean): void;
}

/** While a caller has nearly all of its time left, the limits of the session are enough. */
const wholeShare = 0.9;

/**
 * Leases a connection. The caller's time and the connection's are separate. A caller's statement fails at its deadline.
 * The connection is returned when the server has answered everything, or is dropped a second later.
 */
export function createLease(options: LeaseOptions): Lease {
  return new TimedLease(options);
}

/** The error of a caller whose time is over; see `toStoreError`. */
export function tooLate(): Error {
  return new Error("timeout exceeded: the statement was not answered in the caller's time");
}

class TimedLease implements Lease {
  readonly #options: LeaseOptions;
  /** Fails all who wait for an answer, since their time is over. */
  readonly #waiting = new Set<(error: Error) => void>();
  #pending = 0;
  #isExpired = false;
  #isReleased = false;
  #isFinished = false;
  #expiry: NodeJS.Timeout;
  #linger: NodeJS.Timeout | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#expiry = this.#expireAt(options.deadlineMs);
  }

  get needsFrame(): boolean {
    return this.#options.connection.isPooled || this.#isShort;
  }

  beginScript(limits: TransactionLimits = {}): string {
    const { connection, statementTimeoutMs } = this.#options;
    const session = { isPooled: connection.isPooled, timeoutMs: statementTimeoutMs };
    const isOwn = limits.statementTimeoutMs !== undefined || !this.#isShort;
    return beginScript(session, isOwn ? limits : { ...limits, statementTimeoutMs: this.#remainingMs });
  }

  run(query: QueryConfig, timeoutMs?: number): Promise<QueryResult> {
    if (this.#isFinished || this.#isExpired) return Promise.reject(tooLate());
    if (timeoutMs !== undefined) {
      clearTimeout(this.#expiry);
      this.#expiry = this.#expireAt(performance.now() + timeoutMs + patienceMarginMs);
    }
    return observeStatement(this.#options.observer, query, () => this.#send(query));
  }

  async rollBack(): Promise<void> {
    if (this.#isFinished || this.#options.connection.isOver) return;
    const query = { text: "ROLLBACK" };
    const undone = observeStatement(this.#options.observer, query, () => this.#send(query));
    // A caller without time does not wait for it.
    if (this.#isExpired) undone.catch(() => undefined);
    else await undone.catch(() => undefined);
  }

  release(): void {
    this.#isReleased = true;
    // A caller that releases the connection before all answers came counts as out of time.
    if (this.#pending > 0) this.#expire();
    this.#settle();
  }

  /** At least a millisecond: 0 would be no limit at all. */
  get #remainingMs(): number {
    return Math.max(1, this.#options.deadlineMs - performance.now());
  }

  get #isShort(): boolean {
    return this.#remainingMs < wholeShare * this.#options.statementTimeoutMs;
  }

  /** Settles with the answer, or fails when the caller's time is over; the connection waits for the answer. */
  #send(query: QueryConfig): Promise<QueryResult> {
    const { connection, isPrepared, onFailure } = this.#options;
    this.#pending += 1;
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      connection.query(isPrepared ? query : { text: query.text, values: query.values ?? [] }).then(
        (result) => {
          this.#onAnswer(reject);
          resolve(result);
        },
        (error: unknown) => {
          onFailure(error);
          this.#onAnswer(reject);
          // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- what pg failed with, as it is
          reject(error);
        },
      );
    });
  }

  #onAnswer(reject: (error: Error) => void): void {
    this.#waiting.delete(reject);
    this.#pending -= 1;
    this.#settle();
  }

  #expireAt(deadlineMs: number): NodeJS.Timeout {
    // Timers run before sockets are read, immediates after: an answer that has already arrived counts.
    return setTimeout(() => setImmediate(() => this.#expire()), Math.max(0, deadlineMs - performance.now()));
  }

  #expire(): void {
    if (this.#isExpired || this.#isFinished) return;
    this.#isExpired = true;
    this.#linger = setTimeout(() => this.#giveUp(), patienceMarginMs);
    for (const reject of this.#waiting) reject(tooLate());
  }

  /** The server still works on a statement: cancel it, and send nothing more. */
  #giveUp(): void {
    if (this.#isFinished) return;
    this.#options.connection.cancel();
    this.#finish(false);
  }

  #settle(): void {
    const { connection } = this.#options;
    if (!this.#isReleased || this.#pending > 0) return;
    this.#finish(!connection.isOver && !connection.isInTransaction);
  }

  #finish(isUsable: boolean): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    clearTimeout(this.#expiry);
    clearTimeout(this.#linger);
    this.#options.onFinished(isUsable);
  }
}
