import { AppError } from "../errors/app-error.ts";
import { inSpan } from "../lib/span.ts";
import { isAftermath, isUniqueViolation, toStoreError } from "./failures.ts";

/** How many connections a pool has. */
export interface PoolFigures {
  readonly idle: number;
  readonly busy: number;
  readonly max: number;
  /** Callers that wait for a connection. */
  readonly waiting: number;
  /** Whether no server answers, so that calls fail at once. */
  readonly isAway: boolean;
}

/**
 * How a statement fails. no_connection: none became free in time; unavailable: lost, slow or shutting down; conflict: a
 * row that exists already; error: a bug of the service.
 */
export type FailureKind = "no_connection" | "unavailable" | "conflict" | "error";

/** Watches the database for operators. */
export interface DatabaseObserver {
  /** A statement has ended. @param name its own; begin, commit, rollback or script if it has none */
  onStatement(name: string, seconds: number): void;
  onFailure(kind: FailureKind): void;
  /** A caller has got a connection, or given up. */
  onWaited(seconds: number): void;
  /** Called once, with a function that reads the figures of the pool. */
  watchPool(read: () => PoolFigures): void;
}

/** For pools without metrics: those of commands. */
export const nobody: DatabaseObserver = {
  onStatement: () => undefined,
  onFailure: () => undefined,
  onWaited: () => undefined,
  watchPool: () => undefined,
};

/** Runs a statement and reports it to the observer. */
export async function observeStatement<T>(
  observer: DatabaseObserver,
  statement: { readonly name?: string | undefined; readonly text: string },
  run: () => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  try {
    return await inSpan("postgresql", nameOf(statement), run);
  } catch (error) {
    // Of statements that were sent together, the first failure has already been reported.
    if (!isAftermath(error)) observer.onFailure(kindOf(error));
    throw error;
  } finally {
    observer.onStatement(nameOf(statement), secondsSince(startedAt));
  }
}

/** Gets a connection and reports how long that took. */
export async function observeWait<T>(observer: DatabaseObserver, acquire: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  try {
    return await acquire();
  } catch (error) {
    observer.onFailure("no_connection");
    throw error;
  } finally {
    observer.onWaited(secondsSince(startedAt));
  }
}

function kindOf(error: unknown): FailureKind {
  if (isUniqueViolation(error)) return "conflict";
  return toStoreError(error) instanceof AppError ? "unavailable" : "error";
}

/** A statement without a name is a migration script, or the frame of a transaction. */
function nameOf({ name, text }: { readonly name?: string | undefined; readonly text: string }): string {
  return name ?? /^(BEGIN|COMMIT|ROLLBACK)\b/.exec(text)?.[0].toLowerCase() ?? "script";
}

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / 1000;
}
