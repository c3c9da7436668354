import { Pool, type PoolClient, type PoolConfig, type QueryConfig, type QueryResult } from "pg";
import type { ConnectionTarget, TargetSessionAttrs } from "./connection-string.ts";
import { isBrokenConnection, isStalePlan, unavailable } from "./failures.ts";
import type { PostgresLog } from "./log.ts";
import { type DatabaseObserver, nobody, observeStatement, observeWait } from "./observer.ts";
import { createRoutes, type Route, type Routes } from "./routes.ts";
import { setSessionSettings } from "./session-settings.ts";

/** What a pool is made with. */
export interface PoolOptions {
  readonly target: ConnectionTarget;
  /** Connections at most. Default 4, which serves most on two cores; more only make the tail longer. */
  readonly max?: number;
  /** How long the server may work on one statement. */
  readonly statementTimeoutMs: number;
  /** How long to wait for a free connection, and for a host to accept a new one (unless the address says). */
  readonly connectTimeoutMs: number;
  readonly log: PostgresLog;
  /** Nobody by default. */
  readonly observer?: DatabaseObserver;
}

/** A connection that is one caller's until it is released. */
export interface Lease {
  /** @param timeoutMs the server's statement_timeout, where it is not that of the pool */
  run(query: QueryConfig, timeoutMs?: number): Promise<QueryResult>;
  /** Undoes the transaction under way; a connection on which that fails is given up. */
  rollBack(): Promise<void>;
  release(): void;
}

/** The pool below the statements: connecting, failover, and which connections are still good. */
export interface Connections {
  /** @throws AppError `unavailable` when no connection is to be had in time */
  acquire(): Promise<Lease>;
  end(): Promise<void>;
}

/** The client waits a little longer than the server, for a network that is gone and reports nothing. */
const readTimeoutMarginMs = 1_000;
const idleTimeoutMs = 60_000;
const keepAliveMs = 10_000;

/** Makes the connections of a pool; none is opened yet. */
export function createConnections(options: PoolOptions): Connections {
  const { observer = nobody } = options;
  const routes = createRoutes(options.target);
  const pool = new Pool(poolConfig(options, routes.current()));
  // A change of the server makes all connections old that were opened before it.
  const openedIn = new WeakMap<PoolClient, number>();
  let era = 0;
  let ending: Promise<void> | null = null;
  observer.watchPool(() => ({
    idle: pool.idleCount,
    busy: pool.totalCount - pool.idleCount,
    max: pool.options.max,
    waiting: pool.waitingCount,
  }));

  pool.on("connect", (client) => {
    openedIn.set(client, era);
    // Between two statements of a transaction nobody else listens, and an error that nobody hears ends the process.
    client.on("error", () => undefined);
  });
  pool.on("error", (error) => {
    options.log.warn(
      { error: error.message },
      "An idle database connection broke; a new one takes its place.",
    );
  });

  function lease(client: PoolClient): Lease {
    let isBroken = false;
    const run = async (query: QueryConfig, timeoutMs = options.statementTimeoutMs) => {
      // pg takes the time limit beside the text; its types do not say so.
      const config = { ...query, query_timeout: timeoutMs + readTimeoutMarginMs };
      try {
        return await observeStatement(observer, query, () => client.query(config));
      } catch (error) {
        if (isBrokenConnection(error) || isStalePlan(error)) {
          isBroken = true;
          era += 1;
        }
        throw error;
      }
    };
    return {
      run,
      async rollBack() {
        if (!isBroken) {
          await run({ text: "ROLLBACK" }).catch(() => {
            isBroken = true;
          });
        }
      },
      release: () => client.release(isBroken),
    };
  }

  return {
    async acquire() {
      for (;;) {
        const client = await observeWait(observer, () => connectAny(pool, routes));
        if (openedIn.get(client) === era) {
          return lease(client);
        }
        client.release(true);
      }
    },
    end() {
      ending ??= pool.end();
      return ending;
    },
  };
}

function poolConfig({ target, max = 4, ...options }: PoolOptions, route: Route): PoolConfig {
  return {
    // Said outright, since pg takes what is missing from PG* variables.
    ...route,
    user: target.user,
    ...(target.password === null ? {} : { password: target.password }),
    database: target.database,
    application_name: target.applicationName,
    ...(target.serverOptions === null ? {} : { options: target.serverOptions }),
    max,
    // What is not awaited is sent all the same: statements of one transaction share a round trip.
    pipeline: true,
    idleTimeoutMillis: idleTimeoutMs,
    connectionTimeoutMillis: target.connectTimeoutMs ?? options.connectTimeoutMs,
    query_timeout: options.statementTimeoutMs + readTimeoutMarginMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMs,
    verify: (client, finish) => {
      prepareSession(client, target, options.statementTimeoutMs).then(() => finish(), finish);
    },
  };
}

/** Tries each way to connect once, beginning with the one that served last. */
async function connectAny(pool: Pool, routes: Routes): Promise<PoolClient> {
  for (let attempt = 1; ; attempt += 1) {
    const route = routes.current();
    try {
      return await pool.connect();
    } catch (error) {
      // Every connection is busy, or the pool is closed: no other host would help.
      const isPoolItself =
        Error.isError(error) && /^(timeout exceeded|Cannot use a pool)/.test(error.message);
      if (!isPoolItself) {
        Object.assign(pool.options, routes.advance(route, error));
      }
      if (isPoolItself || attempt >= routes.count) {
        throw unavailable(error);
      }
    }
  }
}

// A prepared statement keeps the plan that was good for its table when it was made. One made for few rows would go on
// to read all of a table that grows by thousands before PostgreSQL counts it anew, a minute later.
const prepareStatement = `SELECT
  ${setSessionSettings()},
  set_config('enable_seqscan', 'off', false),
  set_config('statement_timeout', $1, false),
  set_config('lock_timeout', $1, false),
  set_config('idle_in_transaction_session_timeout', $2, false),
  set_config('application_name', $3, false),
  pg_is_in_recovery() AS standby,
  current_setting('transaction_read_only') = 'on' AS readonly`;

/** Sets a new session up and checks in the same round trip that its server is the right one. */
async function prepareSession(
  client: PoolClient,
  target: ConnectionTarget,
  statementTimeoutMs: number,
): Promise<void> {
  const idleLimitMs = statementTimeoutMs + 2 * readTimeoutMarginMs;
  const { rows } = await client.query<{ standby: boolean; readonly: boolean }>(prepareStatement, [
    String(statementTimeoutMs),
    String(idleLimitMs),
    target.applicationName,
  ]);
  const [state] = rows;
  if (state === undefined || !isRightServer(target.targetSessionAttrs, state)) {
    throw new Error(`The server is not ${target.targetSessionAttrs}.`);
  }
}

function isRightServer(wanted: TargetSessionAttrs, state: { standby: boolean; readonly: boolean }): boolean {
  const answers: Record<TargetSessionAttrs, boolean> = {
    any: true,
    "read-write": !state.readonly,
    "read-only": state.readonly,
    primary: !state.standby,
    standby: state.standby,
  };
  return answers[wanted];
}
