import type { Connection } from "./connection.ts";
import type { Route } from "./routes.ts";

/** The options of a stock. */
export interface StockOptions {
  connect(route: Route, onOver: (connection: Connection) => void): Promise<Connection>;
  /** A caller's connection has ended, and the pool did not close it. */
  onBroken(wasIdle: boolean): void;
}

/** The open connections: the probe's, and those for callers, some of which are idle. */
export interface Stock {
  /** How many bytes all of them have received so far. */
  readonly bytesRead: number;
  readonly ownCount: number;
  readonly idleCount: number;
  /** How many connections for callers are being opened. */
  readonly opening: number;
  /** Opens one that is not for callers. */
  open(route: Route): Promise<Connection>;
  /** Opens one for callers; null if all were dropped meanwhile. */
  openOwn(route: Route): Promise<Connection | null>;
  /** The one that was used last. */
  takeIdle(): Connection | null;
  /** Takes back one that no caller uses any more. */
  putBack(connection: Connection): void;
  /** Whether it is still good for callers. */
  isOwn(connection: Connection): boolean;
  /** Whether its plans are old; from here on they count as new. */
  takeOldPlans(connection: Connection): boolean;
  retire(connection: Connection): void;
  /** Drops the idle ones at once, and the others when they are returned. */
  retireAll(): void;
  /** Closes all at once; running statements fail. */
  destroyAll(): void;
  /** Closes connections that were idle for long. */
  closeUnused(): void;
  close(): Promise<void>;
}

interface Idle {
  readonly connection: Connection;
  readonly since: number;
}

const idleTimeoutMs = 60_000;
/**
 * A prepared statement keeps the plan that suited its table when the plan was made. A plan made for few rows would go on
 * reading all of a table that grows by thousands, until PostgreSQL updates its statistics a minute later.
 */
const planAgeMaxMs = 10_000;

/** Makes a stock; nothing is open yet. */
export function createStock(options: StockOptions): Stock {
  return new OpenStock(options);
}

class OpenStock implements Stock {
  readonly #options: StockOptions;
  readonly #all = new Set<Connection>();
  /** When the plans of each were made. */
  readonly #own = new Map<Connection, number>();
  readonly #idle: Idle[] = [];
  #heard = 0;
  #opening = 0;
  // When all are dropped, connections that are being opened are old as well.
  #era = 0;

  constructor(options: StockOptions) {
    this.#options = options;
  }

  get bytesRead(): number {
    return [...this.#all].reduce((sum, { bytesRead }) => sum + bytesRead, this.#heard);
  }

  get ownCount(): number {
    return this.#own.size;
  }

  get idleCount(): number {
    return this.#idle.length;
  }

  get opening(): number {
    return this.#opening;
  }

  async open(route: Route): Promise<Connection> {
    const connection = await this.#options.connect(route, (ended) => this.#onOver(ended));
    this.#all.add(connection);
    return connection;
  }

  async openOwn(route: Route): Promise<Connection | null> {
    const openedIn = this.#era;
    this.#opening += 1;
    try {
      const connection = await this.open(route);
      if (openedIn === this.#era) {
        this.#own.set(connection, performance.now());
        return connection;
      }
      connection.destroy();
      return null;
    } catch (error) {
      if (openedIn === this.#era) throw error;
      return null;
    } finally {
      this.#opening -= 1;
    }
  }

  takeIdle(): Connection | null {
    return this.#idle.pop()?.connection ?? null;
  }

  putBack(connection: Connection): void {
    this.#idle.push({ connection, since: performance.now() });
  }

  isOwn(connection: Connection): boolean {
    return this.#own.has(connection);
  }

  takeOldPlans(connection: Connection): boolean {
    const now = performance.now();
    const isOld = now - (this.#own.get(connection) ?? now) > planAgeMaxMs;
    if (isOld) this.#own.set(connection, now);
    return isOld;
  }

  retire(connection: Connection): void {
    this.#own.delete(connection);
    connection.destroy();
  }

  retireAll(): void {
    this.#era += 1;
    this.#own.clear();
    for (const { connection } of this.#idle.splice(0)) connection.destroy();
  }

  destroyAll(): void {
    this.#era += 1;
    for (const connection of this.#own.keys()) connection.destroy();
    this.#own.clear();
    this.#idle.length = 0;
  }

  closeUnused(): void {
    const now = performance.now();
    const used = this.#idle.findIndex(({ since }) => now - since <= idleTimeoutMs);
    for (const { connection } of this.#idle.splice(0, used < 0 ? this.#idle.length : used)) {
      this.#own.delete(connection);
      void connection.close();
    }
  }

  async close(): Promise<void> {
    this.#era += 1;
    const closing = [...this.#own.keys()].map((connection) => connection.close());
    this.#own.clear();
    await Promise.all(closing);
    for (const connection of this.#all) connection.destroy();
  }

  #onOver(connection: Connection): void {
    this.#heard += connection.bytesRead;
    this.#all.delete(connection);
    const index = this.#idle.findIndex((each) => each.connection === connection);
    if (index >= 0) this.#idle.splice(index, 1);
    if (this.#own.delete(connection)) this.#options.onBroken(index >= 0);
  }
}
