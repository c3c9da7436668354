import { currentWork, type WorkKind } from "../lib/work.ts";
import { type Connection, connect } from "./connection.ts";
import { isBrokenConnection, isNetworkError, isReadOnly, isStalePlan, unavailable } from "./failures.ts";
import { createLease, type Lease, tooLate } from "./lease.ts";
import { type DatabaseObserver, nobody, observeWait } from "./observer.ts";
import type { PoolOptions } from "./pool-options.ts";
import { createRoutes, type Routes } from "./routes.ts";
import { createServerWatch, type ServerWatch } from "./server-watch.ts";
import { patienceMarginMs } from "./session-settings.ts";
import { createStock, type Stock } from "./stock.ts";
import { createTakers, type Takers } from "./takers.ts";

/** The lower half of the pool: it connects, fails over, and hands connections to callers. */
export interface Connections {
  /**
   * @param isChange whether something is to be written
   * @throws AppError `unavailable` if no connection becomes free in time
   */
  acquire(isChange: boolean): Promise<Lease>;
  ping(): Promise<void>;
  /** Waits until all callers have returned their connections, at most as long as they may keep them. */
  end(): Promise<void>;
}

const hostTimeoutMs = { one: 3_000, ofSeveral: 1_000 };
/** How long a caller waits for a server that did not answer a moment ago. */
const awayPatienceMs = 250;
const reopenPauseMs = 100;
/** How long a caller waits before the pool checks whether the server answers at all. */
const suspicionMs = 500;
const tickMs = 250;
const forgetPlans = { text: "DISCARD PLANS" };

/** Makes the connections of a pool; none is opened yet. */
export function createConnections(options: PoolOptions): Connections {
  return new OwnConnections(options);
}

class OwnConnections implements Connections {
  readonly #options: PoolOptions;
  readonly #observer: DatabaseObserver;
  readonly #stock: Stock;
  readonly #takers: Takers;
  readonly #watch: ServerWatch;
  readonly #ticking: NodeJS.Timeout;
  /** The connections that callers have, and since when. */
  readonly #busy = new Map<Connection, number>();
  #whenFree: (() => void) | null = null;
  #reopen: NodeJS.Timeout | null = null;
  #isEnding = false;
  #ended: Promise<void> | null = null;

  constructor(options: PoolOptions) {
    const { target, statementTimeoutMs, max = 4, observer = nobody } = options;
    const routes = createRoutes(target);
    const connectTimeoutMs = hostLimit(options, routes);
    this.#options = options;
    this.#observer = observer;
    this.#stock = createStock({
      connect: (route, onOver) => connect(route, { target, connectTimeoutMs, statementTimeoutMs, onOver }),
      onBroken: (wasIdle) => this.#onBroken(wasIdle),
    });
    this.#takers = createTakers(max, () => this.#bringTogether());
    this.#watch = this.#createWatch(routes);
    this.#ticking = setInterval(() => this.#tick(), tickMs).unref();
    observer.watchPool(() => ({
      idle: this.#stock.idleCount,
      busy: this.#busy.size,
      max,
      waiting: this.#takers.waiting,
      isAway: this.#watch.state === "away",
    }));
  }

  async acquire(isChange: boolean): Promise<Lease> {
    const { kind: asked, wait } = currentWork();
    const kind = isChange && asked === "read" ? "change" : asked;
    const timeoutMs = this.#options.statementTimeoutMs - (wait?.total() ?? 0);
    const deadlineMs = performance.now() + timeoutMs;
    if (this.#isEnding) throw unavailable(new Error("The pool cannot be used after it was closed."));
    if (timeoutMs <= 0) throw unavailable(tooLate());
    const connection =
      this.#takeAtOnce(kind) ?? (await observeWait(this.#observer, () => this.#ask(kind, timeoutMs)));
    return this.#lease(connection, kind, deadlineMs);
  }

  ping(): Promise<void> {
    return this.#watch.ping();
  }

  end(): Promise<void> {
    this.#isEnding = true;
    return (this.#ended ??= this.#end());
  }

  #createWatch(routes: Routes): ServerWatch {
    return createServerWatch({
      routes,
      targetSessionAttrs: this.#options.target.targetSessionAttrs,
      log: this.#options.log,
      open: (route) => this.#stock.open(route),
      bytesRead: () => this.#stock.bytesRead,
      isServing: () => this.#stock.ownCount > 0,
      onUp: (isAnother) => {
        if (isAnother) this.#stock.retireAll();
        this.#bringTogether();
      },
      onLost: () => this.#stock.destroyAll(),
      onAway: (cause) => this.#takers.failAll(cause),
    });
  }

  /** The usual case: nobody waits, and a connection is idle. */
  #takeAtOnce(kind: WorkKind): Connection | null {
    if (this.#watch.state !== "up" || this.#stock.idleCount === 0 || !this.#takers.take(kind)) return null;
    this.#observer.onWaited(0);
    return this.#stock.takeIdle();
  }

  #ask(kind: WorkKind, timeoutMs: number): Promise<Connection> {
    if (this.#watch.state !== "away") return this.#takers.ask(kind, { timeoutMs, cause: tooLate });
    const asked = this.#takers.ask(kind, {
      timeoutMs: Math.min(timeoutMs, awayPatienceMs),
      cause: () => this.#watch.cause,
    });
    this.#watch.lookAgain();
    return asked;
  }

  /** Gives connections to those who have a permit, and opens as many as are missing. */
  #bringTogether(): void {
    if (this.#isEnding || this.#watch.state === "away" || this.#takers.permitted === 0) return;
    if (this.#watch.state === "looking") {
      this.#watch.lookNow();
      return;
    }
    while (this.#takers.permitted > 0) {
      const connection = this.#stock.takeIdle();
      if (connection === null) break;
      this.#takers.give(connection);
    }
    for (let missing = this.#takers.permitted - this.#stock.opening; missing > 0; missing -= 1) {
      void this.#openOne();
    }
  }

  async #openOne(): Promise<void> {
    try {
      const connection = await this.#stock.openOwn(this.#watch.route);
      if (connection === null) this.#bringTogether();
      else if (this.#isEnding) this.#stock.retire(connection);
      else if (this.#watch.accepts(connection.state)) this.#offer(connection);
      else {
        this.#stock.retire(connection);
        this.#watch.distrust();
        this.#openLater();
      }
    } catch (error) {
      if (isNetworkError(error)) this.#watch.lookNow();
      // The server answers, but refuses: nothing else would end the waiting of those who need a connection.
      else if (this.#stock.ownCount === 0) this.#takers.failPermitted(error);
      this.#openLater();
    }
  }

  #openLater(): void {
    this.#reopen ??= setTimeout(() => {
      this.#reopen = null;
      this.#bringTogether();
    }, reopenPauseMs).unref();
  }

  #offer(connection: Connection): void {
    this.#stock.putBack(connection);
    this.#bringTogether();
  }

  #lease(connection: Connection, kind: WorkKind, deadlineMs: number): Lease {
    const { prepare = "auto", statementTimeoutMs } = this.#options;
    const isPrepared = prepare === "on" || (prepare === "auto" && !connection.isPooled);
    this.#busy.set(connection, performance.now());
    if (isPrepared && this.#stock.takeOldPlans(connection)) {
      connection.query(forgetPlans).catch(() => undefined);
    }
    let isStale = false;
    return createLease({
      connection,
      deadlineMs,
      statementTimeoutMs,
      isPrepared,
      observer: this.#observer,
      onFailure: (error) => {
        if (isBrokenConnection(error) || isStalePlan(error)) isStale = true;
        if (isReadOnly(error)) this.#watch.distrust();
      },
      onFinished: (isUsable) => this.#takeBack(connection, kind, isUsable && !isStale),
    });
  }

  #takeBack(connection: Connection, kind: WorkKind, isUsable: boolean): void {
    this.#busy.delete(connection);
    if (isUsable && this.#stock.isOwn(connection) && !this.#isEnding) this.#offer(connection);
    else this.#stock.retire(connection);
    // Only now: the next holder of the permit finds the connection.
    this.#takers.release(kind);
    if (this.#busy.size === 0) this.#whenFree?.();
  }

  #onBroken(wasIdle: boolean): void {
    if (this.#isEnding) return;
    if (wasIdle) {
      this.#options.log.warn({}, "an idle database connection broke; a new one will replace it");
    }
    // Check whether the server itself has gone.
    this.#watch.pingNow();
  }

  /** Closes connections that were idle for long, and checks the server if a caller has waited for long. */
  #tick(): void {
    this.#stock.closeUnused();
    const oldest = Math.min(this.#takers.oldest, ...this.#busy.values());
    if (performance.now() - oldest > suspicionMs && this.#watch.state === "up") this.#watch.pingNow();
  }

  async #end(): Promise<void> {
    this.#takers.failAll(new Error("The pool cannot be used after it was closed."));
    clearInterval(this.#ticking);
    if (this.#reopen !== null) clearTimeout(this.#reopen);
    if (this.#busy.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#whenFree = resolve;
      const timer = setTimeout(resolve, this.#options.statementTimeoutMs + patienceMarginMs);
      await promise;
      clearTimeout(timer);
    }
    await Promise.all([this.#watch.end(), this.#stock.close()]);
  }
}

function hostLimit({ target, connectTimeoutMs }: PoolOptions, { hostCount }: Routes): number {
  const limitMs = hostCount > 1 ? hostTimeoutMs.ofSeveral : hostTimeoutMs.one;
  return target.connectTimeoutMs ?? Math.min(connectTimeoutMs, limitMs);
}
