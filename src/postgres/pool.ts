import { createConnections, type Lease, type PoolOptions } from "./connections.ts";
import type { Database, Queryable, Statement, Transaction, TransactionOptions } from "./database.ts";
import { isAftermath, isStalePlan, toStoreError } from "./failures.ts";

export type { PoolOptions } from "./connections.ts";
export type { Database, Queryable, Statement } from "./database.ts";
export { isUniqueViolation } from "./failures.ts";
export type { DatabaseObserver } from "./observer.ts";

const pingStatement: Statement = { name: "ping", text: "SELECT 1" };

/**
 * Makes the pool. It connects when it is first used, and goes to the next host of the target when one
 * is down or is no longer the right one; connections to a server that went down or became read-only are
 * dropped, so that a failover needs no restart.
 *
 * A failed statement is not tried again, since it may have taken effect. The one exception took none:
 * a prepared statement that a migration made stale, outside a transaction.
 *
 * @throws Error when a certificate's file cannot be read
 */
export function createPool(options: PoolOptions): Database {
  const connections = createConnections(options);

  async function withLease<T>(use: (lease: Lease) => Promise<T>): Promise<T> {
    try {
      const lease = await connections.acquire();
      try {
        return await use(lease);
      } finally {
        lease.release();
      }
    } catch (error) {
      throw toStoreError(error);
    }
  }

  const query: Queryable["query"] = <Row extends object>(
    statement: Statement,
    values: readonly unknown[] = [],
  ) =>
    withLease((lease) => runStatement<Row>(lease, statement, values)).catch((error: unknown) => {
      if (Error.isError(error) && isStalePlan(error.cause)) {
        return withLease((lease) => runStatement<Row>(lease, statement, values));
      }
      throw error;
    });

  // A check that gave up has left its ping waiting: the next one waits with it, and the pool's queue stays short.
  let pinging: Promise<unknown> | null = null;
  const ping = (): Promise<unknown> =>
    (pinging ??= query(pingStatement).finally(() => {
      pinging = null;
    }));

  return {
    query,
    transaction: (run, settings = {}) => withLease((lease) => runTransaction(lease, run, settings)),
    async ping(signal) {
      signal?.throwIfAborted();
      await untilAborted(ping(), signal);
    },
    end: () => connections.end(),
  };
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
  // Of statements that went together, those after one that failed are not looked at. They fail with its error, since
  // whoever waits for all of them may hear of any of theirs first.
  let firstFailure: unknown;
  const fail = (error: unknown): never => {
    firstFailure ??= toStoreError(error);
    throw isAftermath(error) ? firstFailure : toStoreError(error);
  };
  // Not awaited: it goes with the first statement, which PostgreSQL takes after it.
  const begun = lease.run({ text: beginScript(statementTimeoutMs, lockTimeoutMs) });
  begun.catch(() => undefined);
  try {
    const result = await run({
      query: <Row extends object>(statement: Statement, values: readonly unknown[] = []) =>
        runStatement<Row>(lease, statement, values, statementTimeoutMs).catch(fail),
      execute: (text) => lease.run({ text }, statementTimeoutMs).then(() => undefined, fail),
    });
    await begun;
    const { command } = await lease.run({ text: "COMMIT" }, statementTimeoutMs);
    // A statement failed and `run` went on regardless: PostgreSQL answers COMMIT with ROLLBACK then.
    if (command !== "COMMIT") {
      throw new Error(
        "A transaction was to be committed after one of its statements had failed; it was undone.",
      );
    }
    return result;
  } catch (error) {
    await lease.rollBack();
    throw error;
  }
}

/** One round trip; the values are numbers of ours. */
function beginScript(statementTimeoutMs: number | undefined, lockTimeoutMs: number | undefined): string {
  const set = (name: string, value: number | undefined) =>
    value === undefined ? "" : `; SET LOCAL ${name} = ${Math.trunc(value)}`;
  return `BEGIN ISOLATION LEVEL READ COMMITTED${set("statement_timeout", statementTimeoutMs)}${set("lock_timeout", lockTimeoutMs)}`;
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
    // The answer that nobody waits for any more must not end the process.
    work.catch(() => undefined);
  }
}
