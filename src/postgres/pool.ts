import { currentWork } from "../lib/work.ts";
import { createConnections } from "./connections.ts";
import type { Database, Queryable, Statement, Transaction, TransactionOptions } from "./database.ts";
import { createLookUp } from "./look-up.ts";
import { isAftermath, isStalePlan, toStoreError, unavailable } from "./failures.ts";
import type { Lease } from "./lease.ts";
import type { PoolOptions } from "./pool-options.ts";

export type { PoolOptions } from "./pool-options.ts";
export type { Database, LookUps, Queryable, Statement } from "./database.ts";
export { isUniqueViolation } from "./failures.ts";
export type { DatabaseObserver } from "./observer.ts";

/**
 * Makes the pool. It connects when it is first used, and goes to the next host of the target when one is down, silent
 * or no longer the right one; connections to a server that is left are dropped, so that a failover needs no restart.
 * While none answers, calls fail within a quarter of a second.
 *
 * A failed statement is not retried, since it may have taken effect. The one exception cannot have:
 * a prepared statement outside a transaction that a migration made stale.
 *
 * @throws Error when a certificate's file cannot be read
 */
export function createPool(options: PoolOptions): Database {
  const connections = createConnections(options);

  /** The caller's time runs from here on. */
  async function withLease<T>(isChange: boolean, use: (lease: Lease) => Promise<T>): Promise<T> {
    const { wait } = currentWork();
    wait?.begin();
    try {
      const lease = await connections.acquire(isChange);
      try {
        return await use(lease);
      } finally {
        lease.release();
      }
    } catch (error) {
      throw toStoreError(error);
    } finally {
      wait?.end();
    }
  }

  const query: Queryable["query"] = <Row extends object>(
    statement: Statement,
    values: readonly unknown[] = [],
  ) =>
    withLease(false, (lease) => runAlone<Row>(lease, statement, values)).catch((error: unknown) => {
      if (Error.isError(error) && isStalePlan(error.cause)) {
        return withLease(false, (lease) => runAlone<Row>(lease, statement, values));
      }
      throw error;
    });

  return {
    query,
    lookUp: createLookUp(query, options.statementTimeoutMs),
    transaction: (run, settings = {}) => withLease(true, (lease) => runTransaction(lease, run, settings)),
    async ping(signal) {
      signal?.throwIfAborted();
      await untilAborted(connections.ping(), signal).catch((error: unknown) => {
        throw signal?.aborted === true ? error : unavailable(error);
      });
    },
    end: () => connections.end(),
  };
}

/** Runs a statement that is a transaction by itself. If it needs its own limits, a frame around it sets them. */
async function runAlone<Row extends object>(
  lease: Lease,
  statement: Statement,
  values: readonly unknown[],
): Promise<Row[]> {
  if (!lease.needsFrame) return runStatement<Row>(lease, statement, values);
  // Sent together: the frame costs no round trip.
  const [, rows] = await Promise.all([
    lease.run({ text: lease.beginScript() }),
    runStatement<Row>(lease, statement, values),
    commit(lease),
  ]);
  return rows;
}

async function runStatement<Row extends object>(
  lease: Lease,
  statement: Statement,
  values: readonly unknown[],
  timeoutMs?: number,
): Promise<Row[]> {
  const { rows } = await lease.run({ ...statement, values: [...values] }, timeoutMs);
  return rows as Row[];
}

async function runTransaction<T>(
  lease: Lease,
  run: (transaction: Transaction) => Promise<T>,
  { statementTimeoutMs, lockTimeoutMs }: TransactionOptions,
): Promise<T> {
  // Of statements that were sent together, those after a failed one are skipped. They fail with its error, since a
  // caller that waits for all of them may see any of these errors first.
  let firstFailure: unknown;
  const fail = (error: unknown): never => {
    firstFailure ??= toStoreError(error);
    throw isAftermath(error) ? firstFailure : toStoreError(error);
  };
  // Not awaited: it is sent together with the first statement, which PostgreSQL runs after it.
  const begun = lease.run({ text: lease.beginScript({ statementTimeoutMs, lockTimeoutMs }) });
  begun.catch(() => undefined);
  try {
    const result = await run({
      query: <Row extends object>(statement: Statement, values: readonly unknown[] = []) =>
        runStatement<Row>(lease, statement, values, statementTimeoutMs).catch(fail),
      execute: (text) => lease.run({ text }, statementTimeoutMs).then(() => undefined, fail),
    });
    await begun;
    await commit(lease, statementTimeoutMs);
    return result;
  } catch (error) {
    await lease.rollBack();
    throw error;
  }
}

/** A statement failed, and the code ignored it: PostgreSQL then answers COMMIT with ROLLBACK. */
async function commit(lease: Lease, timeoutMs?: number): Promise<void> {
  const { command } = await lease.run({ text: "COMMIT" }, timeoutMs);
  if (command !== "COMMIT") {
    throw new Error(
      "A transaction was to be committed after one of its statements had failed; it was undone.",
    );
  }
}

async function untilAborted(work: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) {
    await work;
    return;
  }
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    // A late failure that nobody waits for must not end the process.
    work.catch(() => undefined);
  }
}
