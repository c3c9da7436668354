import { AppError } from "../errors/app-error.ts";

/** What a lost connection, an overload or a server going down looks like, by SQLSTATE (PostgreSQL, appendix A). */
const unavailableStates = new Set([
  "25006", // read-only: a primary that became a standby
  "25P03", // idle in a transaction for too long
  "25P04", // a transaction that took too long
  "40001", // serialization failure: rolled back, may be tried again
  "40P01", // deadlock: rolled back, may be tried again
  "55P03", // lock not available in time
  "57014", // statement timeout
  "57P01", // shut down by an administrator
  "57P02", // crash of another session
  "57P03", // starting up or shutting down
  "57P05", // idle for too long
  "58030", // input or output error
]);

/** Connection exceptions and insufficient resources (too many connections, disk full, out of memory). */
const unavailableClasses = new Set(["08", "53"]);

/** After these the connection has been closed. */
const brokenServerStates = new Set(["25P03", "25P04", "57P01", "57P02", "57P03"]);

/** A prepared statement that the server no longer has, or whose result's columns a migration changed. */
const stalePlanStates = new Set(["26000", "0A000"]);

/** node-postgres reports these as plain errors without a code. */
const brokenConnectionMessages =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|Query read timeout|timeout expired|timeout exceeded)/;

/** The SQLSTATE of an error that the server sent; null for any other. */
function sqlStateOf(error: unknown): string | null {
  if (!Error.isError(error) || !("code" in error) || !("severity" in error)) {
    return null;
  }
  return typeof error.code === "string" && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : null;
}

/** Whether a statement would have broken a unique constraint or index: the named one, or any. */
export function isUniqueViolation(error: unknown, constraintName?: string): boolean {
  if (sqlStateOf(error) !== "23505") {
    return false;
  }
  return (
    constraintName === undefined || (error as Error & { constraint?: unknown }).constraint === constraintName
  );
}

/** Data exceptions, integrity constraint violations, and program limits (SQLSTATE classes). */
const refusedDataClasses = new Set(["22", "23", "54"]);

/** Whether PostgreSQL refused a statement for the values in it: the same ones are refused again, at any time. */
export function isRefusedData(error: unknown): boolean {
  return refusedDataClasses.has(sqlStateOf(error)?.slice(0, 2) ?? "");
}

/** Whether a statement was skipped because an earlier one in its transaction had failed. */
export function isAftermath(error: unknown): boolean {
  return sqlStateOf(error) === "25P02";
}

/** Whether the server takes no writes, or no longer. */
export function isReadOnly(error: unknown): boolean {
  return sqlStateOf(error) === "25006";
}

/** Whether the connection cannot be used any more. */
export function isBrokenConnection(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state !== null) {
    return brokenServerStates.has(state) || state.startsWith("08");
  }
  return isNetworkError(error);
}

/** A failure of the network or of node-postgres' connection, not one that the server sent. */
export function isNetworkError(error: unknown): boolean {
  if (!Error.isError(error) || sqlStateOf(error) !== null) {
    return false;
  }
  // An AggregateError holds one error for each address of a name.
  return "syscall" in error || "errors" in error || brokenConnectionMessages.test(error.message);
}

/** Whether the statement was refused before it did anything, and works when prepared again on another connection. */
export function isStalePlan(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state === null || !stalePlanStates.has(state)) {
    return false;
  }
  // 0A000 is every feature that is not supported; this one comes from one function of the server.
  return state === "26000" || (error as Error & { routine?: unknown }).routine === "RevalidateCachedQuery";
}

/** The caller's error when the store cannot be reached. */
export function unavailable(cause: unknown): AppError {
  return new AppError("unavailable", "The user store cannot be reached.", { cause, retryAfterMs: 1000 });
}

/**
 * Turns the error of a query into the domain's: an AppError `unavailable` for everything that time or repair
 * resolves; any other error as it is, for the store that knows its constraints.
 */
export function toStoreError(error: unknown): unknown {
  const state = sqlStateOf(error);
  const passes =
    state === null
      ? isNetworkError(error)
      : unavailableStates.has(state) || unavailableClasses.has(state.slice(0, 2)) || isStalePlan(error);
  return passes ? unavailable(error) : error;
}
