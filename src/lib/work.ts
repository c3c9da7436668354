import { AsyncLocalStorage } from "node:async_hooks";

/**
 * The kinds of work for the database. Each kind has its own share of the connections, so that one that is stuck does
 * not delay the others.
 *
 * - login: signing in, and changing a password
 * - refresh: new tokens for a refresh token
 * - read: who a bearer is, introspection, and everything else that only reads
 * - change: the writes of any other call, such as the end of a session
 * - search: the audit trail
 * - background: work that no caller waits for, and commands
 */
export const workKinds = ["login", "refresh", "read", "change", "search", "background"] as const;

/** One of them. */
export type WorkKind = (typeof workKinds)[number];

/** The present work, and how long its caller has waited for the database in all. */
export interface Work {
  readonly kind: WorkKind;
  /** Shared by all work for one caller; null if nobody waits. */
  readonly wait: Wait | null;
}

/** The time for which one caller waited. Waits side by side count once. */
export interface Wait {
  /** Milliseconds so far, those under way included. */
  total(): number;
  begin(): void;
  end(): void;
}

const storage = new AsyncLocalStorage<Work>();
const background: Work = { kind: "background", wait: null };

/** The work that the running code belongs to. Work that no call has begun is background. */
export function currentWork(): Work {
  return storage.getStore() ?? background;
}

/** Runs a caller's call, and counts its waits from here on. It is a `read` until it says otherwise. */
export function runCall<T>(run: () => T): T {
  return storage.run({ kind: "read", wait: createWait() }, run);
}

/** A function that always runs as work of a kind; in a call, the caller's wait goes on. */
export function asKind<Args extends unknown[], T>(
  kind: WorkKind,
  run: (...args: Args) => T,
): (...args: Args) => T {
  return (...args) => storage.run({ ...currentWork(), kind }, () => run(...args));
}

/** Runs work that a call only triggers: it is background, and its waits do not count for the caller. */
export function runApart<T>(run: () => T): T {
  return storage.run(background, run);
}

/** Runs work that several callers of one kind share: its waits are counted by each of them. */
export function runShared<T>(kind: WorkKind, run: () => T): T {
  return storage.run({ kind, wait: null }, run);
}

function createWait(): Wait {
  let overMs = 0;
  let underWay = 0;
  let since = 0;
  return {
    total: () => (underWay === 0 ? overMs : overMs + performance.now() - since),
    begin() {
      if (underWay === 0) since = performance.now();
      underWay += 1;
    },
    end() {
      underWay -= 1;
      if (underWay === 0) overMs += performance.now() - since;
    },
  };
}
