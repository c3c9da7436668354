/** A setting that a transaction can have for itself, and its value. */
type Setting = readonly [name: string, value: string | number];

/** The client waits a little longer than the server, for a network that is gone and reports nothing. */
export const patienceMarginMs = 1_000;

/**
 * What every statement of ours runs with, whatever the server, the database or the role has for a default: the limits
 * of its time, the meaning of what is sent, the form of what is answered, and what its plans hang on.
 *
 * Two are left as they are found, since they say where and whether to write. `search_path` names the schema of the
 * tables. `default_transaction_read_only` is what a provider sets on a full disk: a server that has it is not one that
 * takes writes (see target_session_attrs).
 */
function settings(timeoutMs: number): Setting[] {
  return [
    ["statement_timeout", timeoutMs],
    ["lock_timeout", timeoutMs],
    ["idle_in_transaction_session_timeout", timeoutMs + 2 * patienceMarginMs],
    ["timezone", "UTC"],
    // node-postgres reads timestamps in this form alone.
    ["datestyle", "ISO, MDY"],
    ["intervalstyle", "postgres"],
    ["bytea_output", "hex"],
    ["extra_float_digits", "1"],
    ["standard_conforming_strings", "on"],
    // Off, a null in an array that we send would be the text "NULL".
    ["array_nulls", "on"],
    ["transform_null_equals", "off"],
    // A statement of a few rows is never worth a compilation.
    ["jit", "off"],
    ["plan_cache_mode", "auto"],
  ];
}

/**
 * Sets up a session that is ours alone, and tells of its server, in one round trip. Behind a pooler it sets nothing,
 * since the next one to use the server's session would inherit it. A pooler gives itself away: it names another
 * process ($1) at the start than the one that then answers.
 */
export function setUpStatement(timeoutMs: number, processId: number): { text: string; values: number[] } {
  const forSession: Setting[] = [
    ...settings(timeoutMs),
    // With a stricter level two refreshes of one session at once fail, where one of them should wait.
    ["default_transaction_isolation", "read committed"],
    ["default_transaction_deferrable", "off"],
    // An idle connection is the pool's to end.
    ["idle_session_timeout", 0],
  ];
  const set = forSession.map(([name, value]) => `set_config('${name}', '${value}', false)`);
  // PostgreSQL 17 has it. A migration may take as long as it must.
  set.push(`CASE WHEN current_setting('transaction_timeout', true) IS NOT NULL
    THEN set_config('transaction_timeout', '0', false) END`);
  return {
    text: `SELECT pg_backend_pid() <> $1 AS pooled, ${serverState},
      CASE WHEN pg_backend_pid() = $1 THEN ARRAY[${set.join(", ")}] END AS settings`,
    values: [processId],
  };
}

/** What a server is, as columns: a `ServerState`. */
export const serverState =
  "pg_is_in_recovery() AS standby, current_setting('transaction_read_only') = 'on' AS readonly";

/** What one transaction has for itself: limits of its time, and how it is planned. */
export interface TransactionLimits {
  readonly statementTimeoutMs?: number | undefined;
  readonly lockTimeoutMs?: number | undefined;
  readonly byIndex?: boolean | undefined;
}

/** Begins a transaction in one round trip. The values are numbers and words of ours. */
export function beginScript(
  session: { readonly isPooled: boolean; readonly timeoutMs: number },
  { statementTimeoutMs, lockTimeoutMs, byIndex }: TransactionLimits,
): string {
  const local: Setting[] = session.isPooled ? settings(session.timeoutMs) : [];
  if (statementTimeoutMs !== undefined) local.push(["statement_timeout", Math.ceil(statementTimeoutMs)]);
  if (lockTimeoutMs !== undefined) local.push(["lock_timeout", Math.ceil(lockTimeoutMs)]);
  if (byIndex === true) local.push(["enable_seqscan", "off"]);
  const begin = session.isPooled ? "BEGIN ISOLATION LEVEL READ COMMITTED" : "BEGIN";
  return [begin, ...local.map(([name, value]) => `SET LOCAL ${name} = '${value}'`)].join("; ");
}
