import { AsyncLocalStorage } from "node:async_hooks";

/**
 * What the database is asked for. Each kind has a share of the connections of its own, so that one that stands
 * still does not hold up the others.
 *
 * - login: signing in, and changing a password
 * - refresh: new tokens for a refresh token
 * - read: who a bearer is, introspection, and whatever else only reads
 * - change: what writes in the course of any other call, such as the end of a session
 * - search: the audit trail
 * - background: what no caller waits for, and commands
 */
export const workKinds = ["login", "refresh", "read", "change", "search", "background"] as const;

/** One of them. */
export type WorkKind = (typeof workKinds)[number];

/** What is being done now, and how long its caller has waited for the database in all. */
export interface Work {
  readonly kind: WorkKind;
  /** Shared by all that is done for one caller; null where nobody waits. */
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

/** What the code that asks is part of. What no call has begun is background. */
export function currentWork(): Work {
  return storage.getStore() ?? background;
}

/** Runs a call of somebody's, whose waits are counted from here on. It is a `read` until it says otherwise. */
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

/** Runs what a call only set off: it is background, and its waits are nobody's. */
export function runApart<T>(run: () => T): T {
  return storage.run(background, run);
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
