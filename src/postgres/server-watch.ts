import type { Connection, ServerState } from "./connection.ts";
import type { TargetSessionAttrs } from "./connection-string.ts";
import { isNetworkError } from "./failures.ts";
import type { PostgresLog } from "./log.ts";
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
  /** Whether a connection's server is still what is served from. */
  accepts(state: ServerState): boolean;
  /** Asks every host in turn, beginning with the one that served last. Whoever asks meanwhile gets the same. */
  look(): Promise<void>;
  /** Begins a search, unless one has just ended. */
  lookAgain(): void;
  /** Asks the server; where it says nothing while nobody else hears of it either, goes on to the next host. */
  ping(): Promise<void>;
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
  /** Whether a caller has a connection, or could have one at once. */
  isServing(): boolean;
  /** A server serves. @param isAnother every connection that was opened before is to be given up */
  onUp(isAnother: boolean): void;
  /** The server is silent, or none serves: every connection is to be given up, and what is under way fails. */
  onLost(): void;
  /** None serves. */
  onAway(cause: unknown): void;
}

interface Serving {
  readonly route: Route;
  readonly takesWrites: boolean;
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
  const { routes, log } = options;
  let state: WatchState = "looking";
  let cause: unknown = null;
  let serving: Serving | null = null;
  let probe: Connection | null = null;
  let looking: Promise<void> | null = null;
  let pinging: Promise<void> | null = null;
  let retry: NodeJS.Timeout | undefined;
  let retryMs = firstRetryMs;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let isEnded = false;

  const isRight = (found: ServerState): boolean => isRightServer(options.targetSessionAttrs, found);
  const isFit = (found: ServerState): boolean =>
    isRight(found) || (serving?.takesWrites === false && isReadable(options.targetSessionAttrs, found));

  /** Tries each way to connect once. Where none takes writes, a primary that is read-only serves reads. */
  async function search(): Promise<Serving & { connection: Connection }> {
    let failure: unknown;
    let readable: (Serving & { connection: Connection }) | null = null;
    for (let attempt = 1; attempt <= routes.count; attempt += 1) {
      const route = routes.current();
      try {
        const connection = await options.open(route);
        if (isRight(connection.state)) {
          readable?.connection.destroy();
          return { route, connection, takesWrites: true };
        }
        failure = new Error(`The server is not ${options.targetSessionAttrs}.`);
        if (readable === null && isReadable(options.targetSessionAttrs, connection.state)) {
          readable = { route, connection, takesWrites: false };
        } else {
          void connection.close();
        }
      } catch (error) {
        failure = error;
      }
      routes.advance(route, failure);
    }
    if (readable === null) throw failure;
    routes.use(readable.route);
    return readable;
  }

  async function round(): Promise<void> {
    clearTimeout(retry);
    try {
      const { connection, ...found } = await search();
      if (isEnded) connection.destroy();
      else adopt(connection, found);
    } catch (error) {
      lose(error);
      throw error;
    }
  }

  function adopt(connection: Connection, found: Serving): void {
    const isAnother = found.route !== serving?.route || found.takesWrites !== serving.takesWrites;
    if (state === "away") log.info({}, "PostgreSQL answers again.");
    if (isAnother && serving !== null) log.warn(describe(found), "Another server of DATABASE_URL serves now.");
    probe?.destroy();
    probe = connection;
    serving = found;
    state = "up";
    retryMs = firstRetryMs;
    options.onUp(isAnother);
  }

  function lose(error: unknown): void {
    if (isEnded) return;
    // It has no place for one more, and goes on with those it has.
    if (state === "up" && !isNetworkError(error) && options.isServing()) return;
    goAway(error);
  }

  function goAway(error: unknown): void {
    if (state !== "away") log.warn({ error: messageOf(error) }, "PostgreSQL is away: calls fail at once.");
    state = "away";
    cause = error;
    probe?.destroy();
    probe = null;
    options.onLost();
    options.onAway(error);
    retry = setTimeout(() => void look().catch(() => undefined), retryMs).unref();
    retryMs = Math.min(2 * retryMs, retryMaxMs);
  }

  function look(): Promise<void> {
    if (isEnded) return Promise.reject(new Error("Cannot use a pool after it was ended."));
    looking ??= round().finally(() => {
      looking = null;
      lookedAt = performance.now();
    });
    return looking;
  }

  /** Nothing has come from it for a while. Where there is another host, callers wait for what that one says. */
  function leaveSilent(error: unknown): void {
    log.warn({ error: messageOf(error) }, "PostgreSQL says nothing: its connections are given up.");
    if (serving !== null) routes.advance(serving.route, error);
    probe?.destroy();
    probe = null;
    if (routes.hostCount === 1) goAway(error);
    else {
      state = "looking";
      options.onLost();
    }
  }

  async function answerOf(connection: Connection): Promise<ServerState> {
    const answer = connection.query({ text: `SELECT ${serverState}` });
    for (let count = 0; count < silencesMax; count += 1) {
      const before = options.bytesRead();
      const result = await within(silenceMs, answer);
      const [row] = result === null ? [] : (result.rows as ServerState[]);
      if (row !== undefined) return row;
      if (options.bytesRead() === before) {
        throw new SilentServerError("timeout exceeded: the server says nothing");
      }
    }
    // The others are answered, so that it is this connection alone.
    connection.destroy();
    throw new Error("timeout exceeded: the probe had no answer");
  }

  async function ask(): Promise<void> {
    if (state !== "up" || probe === null || looking !== null) return look();
    try {
      const found = await answerOf(probe);
      if (isFit(found) && serving?.takesWrites !== false) return;
    } catch (error) {
      // Alone it says nothing of the others: an administrator may have ended it.
      if (error instanceof SilentServerError) leaveSilent(error);
    }
    await look();
  }

  return {
    get state() {
      return state;
    },
    get cause() {
      return cause;
    },
    get route() {
      return serving?.route ?? routes.current();
    },
    accepts: isFit,
    look,
    lookAgain() {
      if (performance.now() - lookedAt > pauseMs) void look().catch(() => undefined);
    },
    async ping() {
      pinging ??= ask().finally(() => {
        pinging = null;
      });
      await pinging;
      if (serving?.takesWrites === false) throw new Error(`The server is not ${options.targetSessionAttrs}.`);
    },
    distrust() {
      if (state !== "up") return;
      if (serving?.takesWrites !== false) state = "looking";
      // It is known to be read-only, and every write that fails says so again.
      else if (performance.now() - lookedAt < retryMaxMs) return;
      void look().catch(() => undefined);
    },
    async end() {
      isEnded = true;
      clearTimeout(retry);
      await probe?.close();
    },
  };
}

class SilentServerError extends Error {}

function isRightServer(wanted: TargetSessionAttrs, found: ServerState): boolean {
  const answers: Record<TargetSessionAttrs, boolean> = {
    any: true,
    "read-write": !found.readonly,
    "read-only": found.readonly,
    primary: !found.standby,
    standby: found.standby,
  };
  return answers[wanted];
}

/**
 * Whether reads may be served from it while nobody takes writes. Never a standby: it may be behind, and would let in
 * whom the primary has shut out.
 */
function isReadable(wanted: TargetSessionAttrs, { standby, readonly }: ServerState): boolean {
  return wanted === "read-write" && readonly && !standby;
}

/** Null where there is no answer in time. Timers run before sockets are read, immediates after. */
function within<T>(timeoutMs: number, answer: Promise<T>): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(() => resolve(null)), timeoutMs);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function describe({ route, takesWrites }: Serving): object {
  return { host: route.host, port: route.port, takes_writes: takesWrites };
}

function messageOf(error: unknown): string {
  return Error.isError(error) ? error.message : String(error);
}
