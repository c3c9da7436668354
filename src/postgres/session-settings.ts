/** A setting that one transaction can have, and its value. */
type Setting = readonly [name: string, value: string | number];

/** The client waits a little longer than the server, for a network that is gone and reports nothing. */
export const patienceMarginMs = 1_000;

/**
 * The settings of every statement, whatever the defaults of the server, the database or the role: time limits, how
 * values are read and written, and what the query plans depend on.
 *
 * Two settings are left alone, since they say where and whether to write. `search_path` names the schema of the
 * tables. `default_transaction_read_only` is what a provider sets on a full disk: such a server does not count as
 * one that takes writes (see target_session_attrs).
 */
function settings(timeoutMs: number): Setting[] {
  return [
    ["statement_timeout", timeoutMs],
    ["lock_timeout", timeoutMs],
    ["idle_in_transaction_session_timeout", timeoutMs + 2 * patienceMarginMs],
    ["timezone", "UTC"],
    // node-postgres reads timestamps only in this form.
    ["datestyle", "ISO, MDY"],
    ["intervalstyle", "postgres"],
    ["bytea_output", "hex"],
    ["extra_float_digits", "1"],
    ["standard_conforming_strings", "on"],
    // If it were off, a null in an array parameter would become the text "NULL".
    ["array_nulls", "on"],
    ["transform_null_equals", "off"],
    // A statement of a few rows is never worth a compilation.
    ["jit", "off"],
    // A statement is planned once for all parameters, and with indexes: planned for each call, an array of keys would
    // cost more than its look-up, and a plan made for few rows would go on reading all. See searchAnew for the others.
    ["plan_cache_mode", "force_generic_plan"],
    ["enable_seqscan", "off"],
  ];
}

/**
 * Sets up a private session and reads what its server is, in one round trip. Behind a pooler it sets nothing, since the
 * next user of the server's session would inherit it. A pooler is detected by its process id: the one that it names at
 * the start ($1) is not the one that then answers.
 */
export function setUpStatement(timeoutMs: number, processId: number): { text: string; values: number[] } {
  const forSession: Setting[] = [
    ...settings(timeoutMs),
    // At a stricter level two simultaneous refreshes of one session would fail; one of them should wait instead.
    ["default_transaction_isolation", "read committed"],
    ["default_transaction_deferrable", "off"],
    // Only the pool closes idle connections.
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

/** The columns that describe a server: a `ServerState`. */
export const serverState =
  "pg_is_in_recovery() AS standby, current_setting('transaction_read_only') = 'on' AS readonly";

/** The time limits of one transaction. */
export interface TransactionLimits {
  readonly statementTimeoutMs?: number | undefined;
  readonly lockTimeoutMs?: number | undefined;
}

/** Begins a transaction in one round trip. The values are numbers and constants of this code. */
export function beginScript(
  session: { readonly isPooled: boolean; readonly timeoutMs: number },
  { statementTimeoutMs, lockTimeoutMs }: TransactionLimits,
): string {
  const local: Setting[] = session.isPooled ? settings(session.timeoutMs) : [];
  if (statementTimeoutMs !== undefined) local.push(["statement_timeout", Math.ceil(statementTimeoutMs)]);
  if (lockTimeoutMs !== undefined) local.push(["lock_timeout", Math.ceil(lockTimeoutMs)]);
  const begin = session.isPooled ? "BEGIN ISOLATION LEVEL READ COMMITTED" : "BEGIN";
  return [begin, ...local.map(([name, value]) => `SET LOCAL ${name} = '${value}'`)].join("; ");
}
