import { currentWork, type WorkKind } from "../lib/work.ts";
import { type Connection, connect } from "./connection.ts";
import type { ConnectionTarget } from "./connection-string.ts";
import { isBrokenConnection, isNetworkError, isReadOnly, isStalePlan, unavailable } from "./failures.ts";
import { createLease, type Lease, tooLate } from "./lease.ts";
import type { PostgresLog } from "./log.ts";
import { type DatabaseObserver, nobody, observeWait } from "./observer.ts";
import { createPermits } from "./permits.ts";
import { createRoutes, type Route } from "./routes.ts";
import { createServerWatch } from "./server-watch.ts";
import { patienceMarginMs } from "./session-settings.ts";

/** Whether statements are prepared by name: auto means wherever no pooler stands between. */
export type Preparing = "auto" | "on" | "off";

/** What a pool is made with. */
export interface PoolOptions {
  readonly target: ConnectionTarget;
  /**
   * Connections that are in use at once. Default 4, which serves most on two cores; more only make the tail longer.
   * One more asks whether the server answers, and up to five serve kinds of work that would else wait for another.
   */
  readonly max?: number;
  /**
   * How long a caller waits in all: for a connection, and for its statements. The server's limit for one statement
   * as well.
   */
  readonly statementTimeoutMs: number;
  /** How long a host may take to accept a connection; of several hosts each a second at most, unless the address says. */
  readonly connectTimeoutMs: number;
  /** Default auto. */
  readonly prepare?: Preparing;
  readonly log: PostgresLog;
  /** Nobody by default. */
  readonly observer?: DatabaseObserver;
}

/** The pool below the statements: connecting, failover, and who has which connection. */
export interface Connections {
  /**
   * @param isChange whether something is to be written
   * @throws AppError `unavailable` when no connection is to be had in time
   */
  acquire(isChange: boolean): Promise<Lease>;
  ping(): Promise<void>;
  end(): Promise<void>;
}

/** Who has asked for a connection, until there is one or the time is over. */
interface Taker {
  readonly kind: WorkKind;
  lease(connection: Connection): void;
  fail(error: unknown): void;
}

/** A connection that nobody has. */
interface Idle {
  readonly connection: Connection;
  readonly since: number;
}

const hostTimeoutMs = { one: 3_000, ofSeveral: 1_000 };
const idleTimeoutMs = 60_000;
/** How long a caller waits for a server that was away a moment ago. */
const awayPatienceMs = 250;
const reopenPauseMs = 100;
/** From when on a caller that waits makes us ask whether the server answers at all. */
const suspicionMs = 500;
const tickMs = 250;
/**
 * A prepared statement keeps the plan that was good for its table when it was made. One made for few rows would go on
 * to read all of a table that grows by thousands, until PostgreSQL counts it anew a minute later.
 */
const planAgeMaxMs = 10_000;
const forgetPlans = { text: "DISCARD PLANS" };

/** Makes the connections of a pool; none is opened yet. */
export function createConnections(options: PoolOptions): Connections {
  const { observer = nobody, target, max = 4, statementTimeoutMs, prepare = "auto" } = options;
  const routes = createRoutes(target);
  const permits = createPermits(max);
  const hostLimitMs = routes.hostCount > 1 ? hostTimeoutMs.ofSeveral : hostTimeoutMs.one;
  const connectTimeoutMs = target.connectTimeoutMs ?? Math.min(options.connectTimeoutMs, hostLimitMs);
  /** Every connection that is open, the watch's own too. */
  const open = new Set<Connection>();
  /** Those for callers, and when their plans were made. */
  const own = new Map<Connection, { plansMadeAt: number }>();
  const busy = new Map<Connection, number>();
  const idle: Idle[] = [];
  /** All who wait; those of them who have a permit wait for a connection alone. */
  const waiting = new Map<Taker, number>();
  const permitted = new Set<Taker>();
  const idleAgain = new Set<() => void>();
  let bytesHeard = 0;
  let opening = 0;
  let reopen: NodeJS.Timeout | undefined;
  let ending: Promise<void> | null = null;
  let isEnding = false;
  // When everything is given up, what is still being opened is old as well.
  let era = 0;

  const watch = createServerWatch({
    routes,
    targetSessionAttrs: target.targetSessionAttrs,
    log: options.log,
    open: openConnection,
    bytesRead: () => [...open].reduce((sum, { bytesRead }) => sum + bytesRead, bytesHeard),
    isServing: () => own.size > 0,
    onUp(isAnother) {
      if (isAnother) retireAll();
      bringTogether();
    },
    onLost() {
      era += 1;
      for (const connection of own.keys()) connection.destroy();
    },
    onAway(cause) {
      for (const taker of waiting.keys()) taker.fail(cause);
    },
  });
  const ticking = setInterval(tick, tickMs).unref();
  observer.watchPool(() => ({
    idle: idle.length,
    busy: busy.size,
    max,
    waiting: waiting.size,
    isAway: watch.state === "away",
  }));

  async function openConnection(route: Route): Promise<Connection> {
    const connection = await connect(route, { target, connectTimeoutMs, statementTimeoutMs, onOver });
    open.add(connection);
    return connection;
  }

  function onOver(connection: Connection): void {
    bytesHeard += connection.bytesRead;
    open.delete(connection);
    const wasIdle = removeIdle(connection);
    if (!own.delete(connection) || isEnding) return;
    if (wasIdle) options.log.warn({}, "An idle database connection broke; a new one takes its place.");
    // Whether it is the server that has gone.
    void watch.ping().catch(() => undefined);
  }

  function removeIdle(connection: Connection): boolean {
    const index = idle.findIndex((each) => each.connection === connection);
    if (index >= 0) idle.splice(index, 1);
    return index >= 0;
  }

  /** Closes one that is good no more, and that nobody has. */
  function retire(connection: Connection): void {
    own.delete(connection);
    connection.destroy();
  }

  function retireAll(): void {
    era += 1;
    for (const { connection } of idle.splice(0)) retire(connection);
    for (const connection of busy.keys()) own.delete(connection);
  }

  /** Brings those who have a permit together with connections, and opens as many as are missing. */
  function bringTogether(): void {
    if (isEnding || watch.state === "away" || permitted.size === 0) return;
    if (watch.state === "looking") {
      void watch.look().catch(() => undefined);
      return;
    }
    for (const taker of permitted) {
      const last = idle.pop();
      if (last === undefined) break;
      taker.lease(last.connection);
    }
    while (permitted.size > opening) void openOne(era);
  }

  async function openOne(openedIn: number): Promise<void> {
    opening += 1;
    try {
      const connection = await openConnection(watch.route);
      opening -= 1;
      if (openedIn !== era || isEnding || !watch.accepts(connection.state)) {
        connection.destroy();
        if (openedIn === era && !isEnding) watch.distrust();
        bringTogether();
      } else {
        own.set(connection, { plansMadeAt: performance.now() });
        offer(connection);
      }
    } catch (error) {
      opening -= 1;
      if (openedIn === era) onOpenFailed(error);
      else bringTogether();
    }
  }

  function onOpenFailed(error: unknown): void {
    if (isNetworkError(error)) void watch.look().catch(() => undefined);
    // It answers, and refuses: nobody else will bring those who wait a connection.
    else if (own.size === 0) for (const taker of permitted) taker.fail(error);
    reopen ??= setTimeout(() => {
      reopen = undefined;
      bringTogether();
    }, reopenPauseMs).unref();
  }

  /** Takes in a connection that nobody has. */
  function offer(connection: Connection): void {
    idle.push({ connection, since: performance.now() });
    bringTogether();
  }

  function leaseTo(connection: Connection, kind: WorkKind, deadlineMs: number): Lease {
    const now = performance.now();
    const plans = own.get(connection);
    const isPrepared = prepare === "on" || (prepare === "auto" && !connection.isPooled);
    busy.set(connection, now);
    if (isPrepared && plans !== undefined && now - plans.plansMadeAt > planAgeMaxMs) {
      plans.plansMadeAt = now;
      connection.query(forgetPlans).catch(() => undefined);
    }
    let isStale = false;
    return createLease({
      connection,
      deadlineMs,
      statementTimeoutMs,
      isPrepared,
      observer,
      onFailure(error) {
        if (isBrokenConnection(error) || isStalePlan(error)) isStale = true;
        if (isReadOnly(error)) watch.distrust();
      },
      onFinished(isUsable) {
        busy.delete(connection);
        if (isUsable && !isStale && own.has(connection) && !isEnding) offer(connection);
        else retire(connection);
        // Afterwards: whoever gets the permit finds the connection.
        permits.release(kind);
        if (busy.size === 0) for (const resolve of idleAgain) resolve();
      },
    });
  }

  function wait(kind: WorkKind, budgetMs: number): Promise<Lease> {
    return new Promise((resolve, reject) => {
      const startedAt = performance.now();
      const isAway = watch.state === "away";
      const patienceMs = isAway ? Math.min(budgetMs, awayPatienceMs) : budgetMs;
      let withdraw = (): unknown => undefined;
      const leave = (): void => {
        clearTimeout(timer);
        waiting.delete(taker);
        withdraw();
      };
      const taker: Taker = {
        kind,
        lease(connection) {
          leave();
          permitted.delete(taker);
          resolve(leaseTo(connection, kind, startedAt + budgetMs));
        },
        fail(error) {
          leave();
          if (permitted.delete(taker)) permits.release(kind);
          reject(unavailable(error));
        },
      };
      const timer = setTimeout(
        () => setImmediate(() => waiting.has(taker) && taker.fail(isAway ? watch.cause : tooLate())),
        patienceMs,
      );
      waiting.set(taker, startedAt);
      withdraw = permits.request(kind, () => {
        permitted.add(taker);
        bringTogether();
      });
      if (isAway) watch.lookAgain();
    });
  }

  /** Closes what nobody has used for long, and asks the server where somebody waits for long. */
  function tick(): void {
    const now = performance.now();
    while (idle[0] !== undefined && now - idle[0].since > idleTimeoutMs) {
      const [oldest] = idle.splice(0, 1);
      if (oldest === undefined) break;
      own.delete(oldest.connection);
      void oldest.connection.close();
    }
    const oldest = Math.min(...busy.values(), ...waiting.values());
    if (now - oldest > suspicionMs && watch.state === "up") void watch.ping().catch(() => undefined);
  }

  async function end(): Promise<void> {
    isEnding = true;
    for (const taker of waiting.keys()) taker.fail(new Error("Cannot use a pool after it was ended."));
    clearInterval(ticking);
    clearTimeout(reopen);
    if (busy.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      idleAgain.add(resolve);
      const timer = setTimeout(resolve, statementTimeoutMs + patienceMarginMs);
      await promise;
      clearTimeout(timer);
    }
    await Promise.all([watch.end(), ...[...own.keys()].map((connection) => connection.close())]);
    for (const connection of open) connection.destroy();
  }

  return {
    acquire(isChange) {
      const { kind, wait: waited } = currentWork();
      const budgetMs = statementTimeoutMs - (waited?.total() ?? 0);
      if (isEnding) {
        return Promise.reject(unavailable(new Error("Cannot use a pool after it was ended.")));
      }
      if (budgetMs <= 0) return Promise.reject(unavailable(tooLate()));
      return observeWait(observer, () => wait(isChange && kind === "read" ? "change" : kind, budgetMs));
    },
    ping: () => watch.ping(),
    end() {
      ending ??= end();
      return ending;
    },
  };
}
