import type { FailureClass } from "./failure-classes.ts";

/** Codes of Node, and SQLSTATEs (PostgreSQL, Appendix A). */
export const classByCode: Readonly<Record<string, FailureClass>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection lost",
  EPIPE: "connection lost",
  ETIMEDOUT: "timed out",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "host unreachable",
  ENOTFOUND: "host name not found",
  EAI_AGAIN: "host name not found",
  ENOENT: "socket or file not found",
  EACCES: "permission denied",
  "25006": "read-only",
  "25P03": "connection lost",
  "25P04": "timed out",
  "3D000": "database does not exist",
  "3F000": "tables missing",
  "42501": "permission denied",
  "42703": "tables missing",
  "42P01": "tables missing",
  "53100": "disk full",
  "53200": "out of memory",
  "53300": "out of connections",
  "55P03": "waiting for a lock",
  "57014": "timed out",
  "57P01": "shutting down",
  "57P02": "shutting down",
  "57P03": "not accepting connections yet",
};

/** The first two characters of a SQLSTATE are its class. */
export const classBySqlstateClass: Readonly<Record<string, FailureClass>> = {
  "08": "connection lost",
  "28": "sign-in refused",
  "40": "transaction conflict",
  "53": "out of memory",
  "58": "system error",
  XX: "system error",
};

/** Redis puts a word in capitals before an error's text. */
export const classByRedisWord: Readonly<Record<string, FailureClass>> = {
  BUSY: "busy with a script",
  CLUSTERDOWN: "cluster is down",
  LOADING: "not accepting connections yet",
  MASTERDOWN: "primary is away",
  MISCONF: "cannot save",
  NOAUTH: "sign-in refused",
  NOPERM: "permission denied",
  NOREPLICAS: "too few replicas",
  OOM: "out of memory",
  READONLY: "read-only",
  WRONGPASS: "sign-in refused",
};

/** Failures without a distinct code, by their texts. Only parts of a text without names and values are matched. */
export const classByMessage: readonly (readonly [RegExp, FailureClass])[] = [
  // Our own supervisor.
  [/^no worker is ready$/, "no worker is ready"],
  [/^some workers are not ready$/, "some workers are not ready"],
  // PgBouncer, with a SQLSTATE for all that it says.
  [/^(no more connections allowed|query_wait_timeout)/, "out of connections"],
  // node-postgres and our pool.
  [/^(timeout e|Query read timeout|Connection terminated due to connection timeout)/, "timed out"],
  [/^Connection terminated/, "connection lost"],
  [/^The server does not support SSL/, "the server speaks no TLS, which sslmode asks for"],
  [/^The server is not (read-write|primary)\./, "read-only"],
  [/^The server is not /, "the wrong kind of server"],
  [/password must be a string$/, "no password given"],
  // Redis, under its general ERR, and ioredis.
  [/^ERR (DB index is out of range|invalid DB index)/, "database does not exist"],
  [/^ERR max number of clients/, "out of connections"],
  [/^ERR unknown command '?(eval|evalsha)\b/i, "scripts not allowed"],
  [/^ERR AUTH <password> called without/, "sign-in refused"],
  [/^All sentinels are unreachable/, "primary is away"],
  [/^(Command timed out|Socket timeout)/, "timed out"],
  [
    /^(Connection is closed|Stream isn't writeable|Command aborted due to connection close)/,
    "connection lost",
  ],
];
