const byCode: Readonly<Record<string, string>> = {
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
  // PostgreSQL, Appendix A: error codes.
  "3D000": "database does not exist",
  "57P01": "shutting down",
  "57P02": "shutting down",
  "57P03": "not accepting connections yet",
};

// The first two characters of a SQLSTATE are its class.
const bySqlstateClass: Readonly<Record<string, string>> = {
  "08": "connection lost",
  "25": "read-only",
  "28": "sign-in refused",
  "42": "permission denied or schema missing",
  "53": "out of resources",
  "58": "system error",
};

// Redis puts a word in capitals before an error's text.
const byRedisWord: Readonly<Record<string, string>> = {
  NOAUTH: "sign-in refused",
  WRONGPASS: "sign-in refused",
  NOPERM: "permission denied",
  LOADING: "not accepting connections yet",
  MASTERDOWN: "primary is away",
  CLUSTERDOWN: "cluster is down",
  READONLY: "read-only",
  OOM: "out of resources",
};

/**
 * The kind of a failure in a few fixed words, for health reports and logs.
 *
 * Never holds any part of the error's own text: that can hold a host, a user name or a connection
 * string. What is not known is "failed".
 */
export function failureClass(error: unknown): string {
  if (!(error instanceof Error)) {
    return "failed";
  }
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return lookUp(byCode, code) ?? sqlstate(code) ?? tls(code) ?? redis(error) ?? "failed";
}

function sqlstate(code: string): string | undefined {
  return /^[0-9A-Z]{5}$/.test(code) ? lookUp(bySqlstateClass, code.slice(0, 2)) : undefined;
}

function tls(code: string): string | undefined {
  return /^(ERR_TLS_|ERR_SSL_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_)/.test(code)
    ? "TLS failed"
    : undefined;
}

function redis(error: Error): string | undefined {
  return error.name === "ReplyError" ? lookUp(byRedisWord, error.message.split(" ", 1)[0] ?? "") : undefined;
}

function lookUp(table: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
