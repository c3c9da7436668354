import type { Connection, ServerState } from "./connection.ts";
import type { TargetSessionAttrs } from "./connection-string.ts";
import { isNetworkError } from "./failures.ts";
import type { PostgresLog } from "./log.ts";
import { type Found, isReadable, isRightServer, search } from "./find-server.ts";
import type { Route, Routes } from "./routes.ts";
import { serverState } from "./session-settings.ts";

/** looking: it is not known which server serves; up: one does; away: none does, and callers are told at once. */
export type WatchState = "looking" | "up" | "away";

/** Knows which of the hosts serves. It asks over a connection of its own, apart from all callers. */
export interface ServerWatch {
  readonly state: WatchState;
  /** What the last search found, where none serves. */
  readonly cause: unknown;
  /** Where connections are to be opened. */
  readonly route: Route;
  /** Whether a connection's server still is what is served from. */
  accepts(state: ServerState): boolean;
  /** Begins to ask every host in turn, beginning with the one that served last, unless that is under way. */
  lookNow(): void;
  /** The same, unless it has been done just before. */
  lookAgain(): void;
  /**
   * Asks the server; where it says nothing while nobody else hears of it either, goes on to the next host.
   *
   * @throws what the last host failed with; Error where the server takes no writes and should
   */
  ping(): Promise<void>;
  /** Begins that, for whoever does not want to know. */
  pingNow(): void;
  /** Stops serving from this server until a search has found out where writes are taken. */
  distrust(): void;
  end(): Promise<void>;
}

/** What the watch is made with, and whom it tells. */
export interface WatchOptions {
  readonly routes: Routes;
  readonly targetSessionAttrs: TargetSessionAttrs;
  readonly log: PostgresLog;
  open(route: Route): Promise<Connection>;
  /** All that was ever heard from any server. */
  bytesRead(): number;
  /** Whether there are connections for callers. */
  isServing(): boolean;
  /** A server serves. @param isAnother every connection that was opened before is to be given up */
  onUp(isAnother: boolean): void;
  /** The server is silent, or none serves: every connection is to be given up, and what is under way fails. */
  onLost(): void;
  /** None serves. */
  onAway(cause: unknown): void;
}

/** How long a server may say nothing at all after it was asked something. */
const silenceMs = 1_000;
const silencesMax = 5;
/** How soon after a search that found nobody a caller's need begins another. */
const pauseMs = 100;
const firstRetryMs = 250;
const retryMaxMs = 1_000;

/** Builds the watch; it asks nobody yet. */
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
    // It is known to be read-only, and every write that fails says so again.
    else if (performance.now() - this.#lookedAt < retryMaxMs) return;
    this.lookNow();
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    clearTimeout(this.#retry);
    await this.#probe?.close();
  }

  /** Whether reads alone are served. */
  get #isReadOnly(): boolean {
    return this.#serving?.takesWrites === false;
  }

  #look(): Promise<void> {
    if (this.#isEnded) return Promise.reject(new Error("Cannot use a pool after it was ended."));
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
    if (this.#state === "away") this.#options.log.info({}, "PostgreSQL answers again.");
    if (isAnother && before !== null) {
      const { route, takesWrites } = found;
      const fields = { host: route.host, port: route.port, takes_writes: takesWrites };
      this.#options.log.warn(fields, "Another server of DATABASE_URL serves now.");
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
    // It has no place for one more, and goes on with those it has.
    if (this.#state === "up" && !isNetworkError(error) && this.#options.isServing()) return;
    this.#goAway(error);
  }

  #goAway(error: unknown): void {
    if (this.#state !== "away") {
      this.#options.log.warn({ error: messageOf(error) }, "PostgreSQL is away: calls fail at once.");
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

  /** Nothing has come from it for a while. Where there is another host, callers wait for what that one says. */
  #leaveSilent(error: unknown): void {
    const { routes, log } = this.#options;
    log.warn({ error: messageOf(error) }, "PostgreSQL says nothing: its connections are given up.");
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
      // Alone it says nothing of the others: an administrator may have ended it.
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
    // The others are answered, so that it is this connection alone.
    probe.destroy();
    throw new Error("timeout exceeded: the probe had no answer");
  }
}

class SilentServerError extends Error {
  constructor() {
    super("timeout exceeded: the server says nothing");
  }
}

/** Null where there is no answer in time. Timers run before sockets are read, immediates after. */
function within<T>(timeoutMs: number, answer: Promise<T>): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(() => resolve(null)), timeoutMs);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function messageOf(error: unknown): string {
  return Error.isError(error) ? error.message : String(error);
}
