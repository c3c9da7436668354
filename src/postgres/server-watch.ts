import type { Connection, ServerState } from "./connection.ts";
import type { TargetSessionAttrs } from "./connection-string.ts";
import { isNetworkError } from "./failures.ts";
import type { PostgresLog } from "./log.ts";
import { type Found, isReadable, isRightServer, search } from "./find-server.ts";
import type { Route, Routes } from "./routes.ts";
import { serverState } from "./session-settings.ts";

/** looking: it is not known which server serves; up: one does; away: none does, and calls fail at once. */
export type WatchState = "looking" | "up" | "away";

/** Knows which of the hosts serves. It probes over its own connection, which no caller uses. */
export interface ServerWatch {
  readonly state: WatchState;
  /** The failure of the last search, while none serves. */
  readonly cause: unknown;
  /** The way in which new connections are opened. */
  readonly route: Route;
  /** Whether a connection's server is still the one that serves. */
  accepts(state: ServerState): boolean;
  /** Begins a search unless one is running: it asks every host in turn, first the one that served last. */
  lookNow(): void;
  /** The same, unless a search has just ended. */
  lookAgain(): void;
  /**
   * Asks the server. If it stays silent, and no other connection hears from it either, tries the next host.
   *
   * @throws the failure of the last host; Error if the server takes no writes and should
   */
  ping(): Promise<void>;
  /** Starts that without waiting for the result. */
  pingNow(): void;
  /** Stops using this server until a search has found one that takes writes. */
  distrust(): void;
  end(): Promise<void>;
}

/** The options of the watch, and the callbacks for its changes. */
export interface WatchOptions {
  readonly routes: Routes;
  readonly targetSessionAttrs: TargetSessionAttrs;
  readonly log: PostgresLog;
  open(route: Route): Promise<Connection>;
  /** How many bytes all servers have sent so far. */
  bytesRead(): number;
  /** Whether there are connections for callers. */
  isServing(): boolean;
  /** A server serves. @param isAnother whether every older connection has to be dropped */
  onUp(isAnother: boolean): void;
  /** The server is silent, or none serves: every connection is dropped, and running statements fail. */
  onLost(): void;
  /** None serves. */
  onAway(cause: unknown): void;
}

/** How long a server may stay silent after it was asked something. */
const silenceMs = 1_000;
const silencesMax = 5;
/** How long after a failed search a caller may start the next one. */
const pauseMs = 100;
const firstRetryMs = 250;
const retryMaxMs = 1_000;

/** Builds the watch; it asks no server yet. */
export function createServerWatch(options: WatchOptions): ServerWatch {
  return new ProbingWatch(options);
}

class ProbingWatch implements ServerWatch {
  readonly #options: WatchOptions;
  #state: WatchState = "looking";
  #cause: unknown = null;
  #serving: Omit<Found, "connection"> | null = null;
  #probe: Connection | null = null;
  #looking: Promise<void> | null = null;
  #pinging: Promise<void> | null = null;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = firstRetryMs;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #isEnded = false;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  get state(): WatchState {
    return this.#state;
  }

  get cause(): unknown {
    return this.#cause;
  }

  get route(): Route {
    return this.#serving?.route ?? this.#options.routes.current();
  }

  accepts(state: ServerState): boolean {
    const { targetSessionAttrs: wanted } = this.#options;
    return isRightServer(wanted, state) || (this.#isReadOnly && isReadable(wanted, state));
  }

  lookNow(): void {
    this.#look().catch(() => undefined);
  }

  lookAgain(): void {
    if (performance.now() - this.#lookedAt > pauseMs) this.lookNow();
  }

  async ping(): Promise<void> {
    this.#pinging ??= this.#ask().finally(() => {
      this.#pinging = null;
    });
    await this.#pinging;
    if (this.#isReadOnly) throw new Error(`The server is not ${this.#options.targetSessionAttrs}.`);
  }

  pingNow(): void {
    this.ping().catch(() => undefined);
  }

  distrust(): void {
    if (this.#state !== "up") return;
    if (!this.#isReadOnly) this.#state = "looking";
    // It is already known to be read-only; every failed write reports it again.
    else if (performance.now() - this.#lookedAt < retryMaxMs) return;
    this.lookNow();
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    clearTimeout(this.#retry);
    await this.#probe?.close();
  }

  /** Whether only reads are served. */
  get #isReadOnly(): boolean {
    return this.#serving?.takesWrites === false;
  }

  #look(): Promise<void> {
    if (this.#isEnded) return Promise.reject(new Error("The pool cannot be used after it was closed."));
    this.#looking ??= this.#searchOnce().finally(() => {
      this.#looking = null;
      this.#lookedAt = performance.now();
    });
    return this.#looking;
  }

  async #searchOnce(): Promise<void> {
    clearTimeout(this.#retry);
    try {
      const found = await search(this.#options);
      if (this.#isEnded) found.connection.destroy();
      else this.#adopt(found);
    } catch (error) {
      this.#lose(error);
      throw error;
    }
  }

  #adopt({ connection, ...found }: Found): void {
    const before = this.#serving;
    const isAnother = found.route !== before?.route || found.takesWrites !== before.takesWrites;
    if (this.#state === "away") this.#options.log.info({}, "PostgreSQL answers again");
    if (isAnother && before !== null) {
      const { route, takesWrites } = found;
      const fields = { host: route.host, port: route.port, takes_writes: takesWrites };
      this.#options.log.warn(fields, "another server of DATABASE_URL serves now");
    }
    this.#probe?.destroy();
    this.#probe = connection;
    this.#serving = found;
    this.#state = "up";
    this.#retryMs = firstRetryMs;
    this.#options.onUp(isAnother);
  }

  #lose(error: unknown): void {
    if (this.#isEnded) return;
    // The server has no room for another connection; the existing ones go on.
    if (this.#state === "up" && !isNetworkError(error) && this.#options.isServing()) return;
    this.#goAway(error);
  }

  #goAway(error: unknown): void {
    if (this.#state !== "away") {
      this.#options.log.warn(
        { error: messageOf(error) },
        "PostgreSQL does not answer; calls fail at once until it does",
      );
    }
    this.#state = "away";
    this.#cause = error;
    this.#probe?.destroy();
    this.#probe = null;
    this.#options.onLost();
    this.#options.onAway(error);
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.lookNow(), this.#retryMs).unref();
    this.#retryMs = Math.min(2 * this.#retryMs, retryMaxMs);
  }

  /** The server has sent nothing for a while. If there is another host, callers wait for that host's answer. */
  #leaveSilent(error: unknown): void {
    const { routes, log } = this.#options;
    log.warn({ error: messageOf(error) }, "PostgreSQL is silent; its connections are dropped");
    if (this.#serving !== null) routes.advance(this.#serving.route, error);
    if (routes.hostCount === 1) {
      this.#goAway(error);
      return;
    }
    this.#probe?.destroy();
    this.#probe = null;
    this.#state = "looking";
    this.#options.onLost();
  }

  async #ask(): Promise<void> {
    const probe = this.#probe;
    if (this.#state !== "up" || probe === null || this.#looking !== null) {
      await this.#look();
      return;
    }
    try {
      const found = await this.#answerOf(probe);
      if (isRightServer(this.#options.targetSessionAttrs, found) && !this.#isReadOnly) return;
    } catch (error) {
      // That says nothing about the other connections: an administrator may have ended this one.
      if (error instanceof SilentServerError) this.#leaveSilent(error);
    }
    await this.#look();
  }

  async #answerOf(probe: Connection): Promise<ServerState> {
    const answer = probe.query({ text: `SELECT ${serverState}` });
    for (let count = 0; count < silencesMax; count += 1) {
      const before = this.#options.bytesRead();
      const result = await within(silenceMs, answer);
      const [row] = result === null ? [] : (result.rows as ServerState[]);
      if (row !== undefined) return row;
      if (this.#options.bytesRead() === before) throw new SilentServerError();
    }
    // The other connections get answers, so only this one is broken.
    probe.destroy();
    throw new Error("timeout exceeded: the probe had no answer");
  }
}

class SilentServerError extends Error {
  constructor() {
    super("timeout exceeded: the server is silent");
  }
}

/** Null if there is no answer in time. Timers run before sockets are read, immediates after. */
function within<T>(timeoutMs: number, answer: Promise<T>): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(() => resolve(null)), timeoutMs);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function messageOf(error: unknown): string {
  return Error.isError(error) ? error.message : String(error);
}
