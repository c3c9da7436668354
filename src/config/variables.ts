import {
  anyText,
  audience,
  auditRetentionMs,
  basePath,
  choice,
  cidrs,
  commit,
  databaseUrl,
  delayMs,
  deviceTtlMs,
  modeHeaderName,
  host,
  integer,
  issuer,
  keyLifetimeMs,
  keyPrefix,
  onOrOff,
  origins,
  passwordText,
  redisTarget,
  type Schema,
  scopes,
  secretList,
  sessionTtlMs,
  shortTimeoutMs,
  streamAgeMs,
  timeoutMs,
  tokenTtlMs,
  trimmedText,
  workerCount,
} from "./schemas.ts";
import { throttleVariables } from "./throttle-variables.ts";

/** One environment variable: how it is read, what it is when unset, and what it is for. */
interface Variable<T> {
  readonly schema: Schema<T>;
  /** The text that is read if the variable is unset; null for none. */
  readonly fallback: string | null;
  /** The default in words, if `fallback` does not show it. */
  readonly fallbackNote?: string;
  /** Whether it can hold a secret, which can then come from the file that NAME_FILE names. */
  readonly secret?: true;
  /** Whether white space around it can be intended: then only line breaks at its end are removed. */
  readonly exact?: true;
  /** For the table of docs/config.md. */
  readonly help: string;
}

/**
 * Every environment variable that Countersign reads, in the order of docs/config.md. An empty value
 * counts as unset.
 */
export const variables = {
  PORT: {
    schema: integer(0, 65_535),
    fallback: "8080",
    help: "The public port: gRPC, gRPC-Web, Connect and REST. 0 takes a free one (ISSUER must then be set).",
  },
  HOST: {
    schema: host,
    fallback: "0.0.0.0",
    help: "The address that the public port binds to.",
  },
  OPS_PORT: {
    schema: integer(0, 65_535),
    fallback: "9090",
    help: "The private port: /metrics, /livez, /readyz, /startupz, /healthz?verbose. 0 takes a free one.",
  },
  OPS_HOST: {
    schema: host,
    fallback: "127.0.0.1",
    help: "The address that the private port binds to. The port has no access control: name another address only if the network keeps callers away from it (0.0.0.0 in a pod, for its probes and Prometheus).",
  },
  WORKERS: {
    schema: workerCount,
    fallback: "1",
    help: "How many processes serve the public port, or `auto` for as many as there are cores and the control group's CPU quota allows. With 1 the service is one process, and its hashing process. With more, a supervisor starts them, restarts what ends, and keeps what there is once: the private port, hashing, limits in memory, periodic work, the embedded PostgreSQL. The workers divide DATABASE_POOL_MAX, CONNECTIONS_MAX, REQUESTS_MAX and STREAMS_MAX among them.",
  },
  NODE_ENV: {
    schema: anyText,
    fallback: "",
    help: "`production` makes SECRET_KEY and ISSUER required.",
  },
  DATABASE_URL: {
    schema: databaseUrl,
    fallback: null,
    fallbackNote: "an embedded PostgreSQL under DATA_DIR",
    secret: true,
    help: "PostgreSQL 15 or newer. Several hosts, separated by commas, are tried in order for one that takes writes. Makes SECRET_KEY and ISSUER required.",
  },
  DATABASE_POOL_MAX: {
    schema: integer(1, 100),
    fallback: "4",
    help: "Connections to PostgreSQL that one instance uses at once. One more checks whether PostgreSQL answers. Up to five more serve kinds of work (logins, refreshes, reads, changes, searches, background) that would otherwise have to wait for another kind.",
  },
  DATABASE_TIMEOUT: {
    schema: timeoutMs,
    fallback: "5s",
    help: "How long one call may wait for PostgreSQL in all: for a connection and for all of its statements.",
  },
  DATABASE_PREPARE: {
    schema: choice(["auto", "on", "off"]),
    fallback: "auto",
    help: "Whether statements are prepared by name. `auto`: yes, unless there is a pooler such as PgBouncer in between, which the service detects. Use `on` with a pooler that keeps prepared statements (PgBouncer 1.21 or newer with max_prepared_statements).",
  },
  DATA_DIR: {
    schema: trimmedText,
    fallback: ".countersign",
    help: "Where the embedded PostgreSQL, the generated SECRET_KEY and the bootstrap password are kept.",
  },
  REDIS_URL: {
    schema: redisTarget,
    fallback: null,
    fallbackNote: "no Redis",
    secret: true,
    help: "Redis or Valkey: `redis://[user:password@]host[:port][/database]`, `redis+sentinel://host[:port],…/master[/database]` or `redis+cluster://host[:port],…`, and `rediss` for TLS. It decides refreshes, and counts the limits of all instances together. It is optional: without it, or while it is unreachable, PostgreSQL decides, and each instance counts its share.",
  },
  REDIS_CA_FILE: {
    schema: trimmedText,
    fallback: null,
    fallbackNote: "the system's",
    help: "Certificates (PEM) to verify a Redis over TLS with.",
  },
  REDIS_KEY_PREFIX: {
    schema: keyPrefix,
    fallback: "countersign:",
    help: "What all keys in Redis begin with.",
  },
  REDIS_TIMEOUT: {
    schema: shortTimeoutMs,
    fallback: "250ms",
    help: "How long a request waits for Redis before it continues without it.",
  },
  ISSUER: {
    schema: issuer,
    fallback: null,
    fallbackNote: "http://localhost:PORT",
    help: "The `iss` of every token, and the address that links in answers begin with. An https issuer makes SECRET_KEY required.",
  },
  AUDIENCE: {
    schema: audience,
    fallback: null,
    fallbackNote: "the issuer",
    help: "The `aud` of access tokens.",
  },
  SECRET_KEY: {
    schema: secretList,
    fallback: null,
    fallbackNote: "made once and kept under DATA_DIR, with the embedded database only",
    secret: true,
    help: "The secrets that refresh tokens are derived from and signing keys are encrypted with, separated by commas; the first is used for new tokens and keys.",
  },
  PASSWORD_PEPPER: {
    schema: secretList,
    fallback: null,
    fallbackNote: "none",
    secret: true,
    help: "Secrets that are mixed into password hashes: a list like SECRET_KEY. A hash keeps the id of its pepper; if you drop a pepper, the passwords hashed with it stop working.",
  },
  BOOTSTRAP_USERNAME: {
    schema: trimmedText,
    fallback: "admin",
    help: "The name of the first user, who is made with the role `admin` if there is no user at all.",
  },
  BOOTSTRAP_PASSWORD: {
    schema: passwordText,
    fallback: null,
    fallbackNote: "a random one",
    secret: true,
    exact: true,
    help: "The first user's password, at least 8 characters. A random one is shown on a terminal, else written to DATA_DIR/bootstrap-password (0600).",
  },
  ACCESS_TOKEN_TTL: {
    schema: tokenTtlMs,
    fallback: "15m",
    help: "How long an access token lives; never beyond its session's end.",
  },
  SESSION_IDLE_TTL: {
    schema: sessionTtlMs,
    fallback: "30d",
    help: "How long a session lives without a refresh.",
  },
  SESSION_MAX_TTL: {
    schema: sessionTtlMs,
    fallback: "90d",
    help: "How long a session lives at most.",
  },
  REFRESH_GRACE: {
    schema: delayMs,
    fallback: "60s",
    help: "How long a refresh token still works after it was rotated out, so that parallel requests and lost answers end no session. 0s: not at all.",
  },
  REFRESH_GRACE_BINDING: {
    schema: choice(["off", "address"]),
    fallback: "off",
    help: "`address` refuses a refresh token that was rotated out, within its grace too, when it comes from another address (IPv6: another /64) or another program (User-Agent) than the rotation did. `off` answers it and records it in the audit trail.",
  },
  REFRESH_LATE_ANSWER: {
    schema: onOrOff,
    fallback: "on",
    help: "Whether a refresh token is answered once more after its grace, as long as its successor was never used: the answer was lost, or the device slept. `off`: it ends the session at once. Clients with a grace of 0 have no late answers.",
  },
  MAX_SESSIONS_PER_USER: {
    schema: integer(1, 10_000),
    fallback: "100",
    help: "How many live sessions a user may have; with one more, the oldest ends.",
  },
  SIGNING_KEY_LIFETIME: {
    schema: keyLifetimeMs,
    fallback: "90d",
    help: "How long a signing key signs. The next one is published 15 minutes before it signs; the old one stays until the last token that it signed has expired.",
  },
  SIGNING_ALGORITHM: {
    schema: choice(["ES256", "EdDSA", "RS256", "PS256"]),
    fallback: "ES256",
    help: "The algorithm of a new signing key: ES256, EdDSA, RS256 or PS256.",
  },
  BUILTIN_CLIENT: {
    schema: onOrOff,
    fallback: "on",
    help: "Whether logins that name no client are accepted. They belong to the built-in first-party client `countersign`.",
  },
  BUILTIN_CLIENT_SCOPES: {
    schema: scopes,
    fallback: "",
    help: "The scopes that the built-in client may ask for, separated by spaces.",
  },
  AUDIT_RETENTION: {
    schema: auditRetentionMs,
    fallback: "400d",
    help: "How long the audit trail is kept. A month is dropped when it ended longer ago than this. `forever` drops none.",
  },
  ARGON2_MEMORY_KIB: {
    schema: integer(8, 1_048_576),
    fallback: "19456",
    help: "Argon2id memory of a new password hash, in KiB. Raising it rehashes at the next login.",
  },
  ARGON2_ITERATIONS: {
    schema: integer(1, 64),
    fallback: "2",
    help: "Argon2id passes of a new password hash.",
  },
  ARGON2_PARALLELISM: {
    schema: integer(1, 16),
    fallback: "1",
    help: "Argon2id lanes of a new password hash.",
  },
  HASH_CONCURRENCY: {
    schema: integer(1, 256),
    fallback: null,
    fallbackNote: "the cores, and what the container allows",
    help: "Password hashes that run at once, in a process of their own. By default as many as there are cores, but no more than the control group's CPU quota allows, and no more than fit into its memory limit beside 256 MiB for the rest.",
  },
  HASH_NICENESS: {
    schema: integer(0, 19),
    fallback: "19",
    help: "The nice value of the threads that hash passwords: they give way to everything else on the machine. At 19 they also run in Linux' idle class, if the machine has `chrt` (util-linux): any other program that wants a core gets it at once. Lower it if busy programs without a CPU limit share the machine, since logins would starve behind them.",
  },
  HASH_QUEUE_MAX: {
    schema: integer(0, 10_000),
    fallback: "128",
    help: "How many password hashes may wait; above that, logins are refused as `overloaded`. A quarter of the places is kept for devices that have signed in before, and no address gets more than a quarter.",
  },
  HASH_WAIT_MAX: {
    schema: timeoutMs,
    fallback: "5s",
    help: "How long a password hash may wait. A login that would probably wait longer than half of it, by the measured rate, is refused at once as `overloaded`.",
  },
  TRUSTED_PROXIES: {
    schema: cidrs,
    fallback: null,
    fallbackNote: "none",
    help: "Addresses and CIDR ranges of proxies whose X-Forwarded-For is believed, separated by commas.",
  },
  CORS_ORIGINS: {
    schema: origins,
    fallback: null,
    fallbackNote: "none",
    help: "The origins whose pages may call from browsers, such as https://app.example.com or capacitor://localhost, separated by commas; or `*` for all, which requires AUTH_COOKIES=off.",
  },
  AUTH_COOKIES: {
    schema: onOrOff,
    fallback: "on",
    help: "Whether a browser that asks for it by AUTH_MODE_HEADER gets its refresh token in a cookie.",
  },
  AUTH_MODE_HEADER: {
    schema: modeHeaderName,
    fallback: "X-Auth-Mode",
    help: "The request header field that asks for cookies with the value `cookie`. No page may be able to send it without a preflight.",
  },
  DEVICE_TOKEN_TTL: {
    schema: deviceTtlMs,
    fallback: "90d",
    help: "How long a device that has signed in stays known, counted from its last login.",
  },
  ...throttleVariables,
  BASE_PATH: {
    schema: basePath,
    fallback: "",
    help: "A prefix of all REST paths, such as /api. The paths of probes and RPCs have no prefix.",
  },
  TLS_CERT_FILE: {
    schema: trimmedText,
    fallback: null,
    fallbackNote: "plain text",
    help: "The certificate chain (PEM). With TLS_KEY_FILE the public port speaks TLS. Read again when it changes.",
  },
  TLS_KEY_FILE: {
    schema: trimmedText,
    fallback: null,
    fallbackNote: "plain text",
    help: "The certificate's private key (PEM).",
  },
  REFLECTION: {
    schema: onOrOff,
    fallback: "on",
    help: "Whether gRPC server reflection answers.",
  },
  REFERENCE_PAGE: {
    schema: onOrOff,
    fallback: "on",
    help: "Whether the reference page answers at /docs. The OpenAPI document, /openapi.json and /openapi.yaml, always does.",
  },
  REQUEST_TIMEOUT: {
    schema: timeoutMs,
    fallback: "15s",
    help: "The deadline of a call that sets none, and the longest deadline that a call can set.",
  },
  HEADER_TIMEOUT: {
    schema: timeoutMs,
    fallback: "10s",
    help: "How long a connection may take to send a request's header.",
  },
  BODY_TIMEOUT: {
    schema: timeoutMs,
    fallback: "10s",
    help: "How long a request may take to send its body.",
  },
  CONNECTIONS_MAX: {
    schema: integer(16, 1_000_000),
    fallback: "2048",
    help: "How many connections of the public port may be open at once. One address (IPv6: /56) may have a quarter of them; TRUSTED_PROXIES may have all. When all are in use and an address with fewer connects, the oldest connection of the address with the most is closed. The limit is lower if the process may not open that many files.",
  },
  REQUESTS_MAX: {
    schema: integer(16, 1_000_000),
    fallback: "4096",
    help: "How many requests may wait for their answer at once; one address may have a quarter of them. More are refused: 429 or 503 over HTTP/1.1, REFUSED_STREAM over HTTP/2.",
  },
  STREAMS_MAX: {
    schema: integer(16, 1_000_000),
    fallback: "1024",
    help: "How many streams the service may send on at once (Watch of grpc.health.v1, reflection, the audit trail); one address may have a quarter of them, and one connection 16.",
  },
  STREAM_AGE_MAX: {
    schema: streamAgeMs,
    fallback: "1h",
    help: "How old such a stream may become. It then ends normally, and the caller opens a new one.",
  },
  STREAM_IDLE_TIMEOUT: {
    schema: timeoutMs,
    fallback: "1m",
    help: "How long a caller of reflection, or of an import of users, may send nothing.",
  },
  DRAIN_DELAY: {
    schema: delayMs,
    fallback: "0s",
    help: "At SIGTERM: how long readiness is false before the listener closes. Set it to the time that load balancers need to notice.",
  },
  DRAIN_TIMEOUT: {
    schema: timeoutMs,
    fallback: "20s",
    help: "At SIGTERM: how long running requests may take to end.",
  },
  LOG_LEVEL: {
    schema: choice(["debug", "info", "warn", "error", "silent"]),
    fallback: "info",
    help: "The least severe level that is logged: debug, info, warn, error or silent.",
  },
  BUILD_COMMIT: {
    schema: commit,
    fallback: null,
    fallbackNote: "unknown",
    help: "The commit that an image was built from, shown by the metric countersign_build_info. The Dockerfile sets it.",
  },
} as const satisfies Record<string, Variable<unknown>>;

/** Names of the variables. */
export type VariableName = keyof typeof variables;

/** The values as read: undefined where unset without a default. */
export type Values = {
  readonly [Name in VariableName]?: NonNullable<
    ReturnType<(typeof variables)[Name]["schema"]["read"]>
  >["value"];
};

/** The variables in the order of the documentation. */
export function listVariables(): (Variable<unknown> & { readonly name: VariableName })[] {
  return Object.entries(variables).map(([name, variable]) => ({ ...variable, name: name as VariableName }));
}
