/**
 * What our statements rely on, and what a server, a database or a role may have set otherwise: the meaning of what is
 * sent, the form of what is answered, and what ends a transaction or a connection of ours. Nothing of it is taken
 * from the server's defaults.
 *
 * Two are left as they are found, since they say where and whether to write. `search_path` names the schema of the
 * tables (preconditions.ts looks at it). `default_transaction_read_only` is what a provider sets on a full disk: a
 * server that has it is not one that takes writes (see target_session_attrs).
 */
const sessionSettings: Readonly<Record<string, string>> = {
  // With a stricter level two refreshes of one session at once fail, where one of them should wait.
  default_transaction_isolation: "read committed",
  default_transaction_deferrable: "off",
  timezone: "UTC",
  // node-postgres reads timestamps in this form alone.
  datestyle: "ISO, MDY",
  intervalstyle: "postgres",
  bytea_output: "hex",
  extra_float_digits: "1",
  standard_conforming_strings: "on",
  // Off, a null in an array that we send would be the text "NULL".
  array_nulls: "on",
  transform_null_equals: "off",
  // An idle connection is the pool's to end.
  idle_session_timeout: "0",
};

/** Those that not every version of PostgreSQL that we take knows. A migration may take as long as it must. */
const newerSessionSettings: Readonly<Record<string, string>> = {
  // PostgreSQL 17.
  transaction_timeout: "0",
};

/** The settings as the list of a SELECT that makes them for the session. */
export function setSessionSettings(): string {
  const always = Object.entries(sessionSettings).map(([name, value]) => setConfig(name, value));
  const newer = Object.entries(newerSessionSettings).map(
    ([name, value]) =>
      `CASE WHEN current_setting('${name}', true) IS NOT NULL THEN ${setConfig(name, value)} END`,
  );
  return [...always, ...newer].join(",\n  ");
}

function setConfig(name: string, value: string): string {
  return `set_config('${name}', '${value}', false)`;
}
