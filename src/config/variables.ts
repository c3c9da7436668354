import {
  anyText,
  basePath,
  choice,
  cidrs,
  databaseUrl,
  delayMs,
  host,
  integer,
  issuer,
  keyLifetimeMs,
  onOrOff,
  redisUrl,
  type Schema,
  scopes,
  secretList,
  sessionTtlMs,
  timeoutMs,
  tokenTtlMs,
  trimmedText,
} from "./schemas.ts";

/** One environment variable: how it is read, what it is when unset, and what it is for. */
interface Variable<T> {
  readonly schema: Schema<T>;
  /** The text that is read when the variable is unset; null where there is none. */
  readonly fallback: string | null;
  /** The default in words, where `fallback` does not say it. */
  readonly fallbackNote?: string;
  /** Whether it can hold a secret, which can then come from the file that NAME_FILE names. */
  readonly secret?: true;
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
    help: "The address that both listeners bind to.",
  },
  OPS_PORT: {
    schema: integer(0, 65_535),
    fallback: "9090",
    help: "The private port: /livez, /readyz, /startupz, /healthz?verbose. 0 takes a free one.",
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
    help: "Connections to PostgreSQL that one instance opens at most.",
  },
  DATABASE_TIMEOUT: {
    schema: timeoutMs,
    fallback: "5s",
    help: "How long a connection, a free slot in the pool, or a statement may take.",
  },
  DATA_DIR: {
    schema: trimmedText,
    fallback: ".countersign",
    help: "Where the embedded PostgreSQL, the generated SECRET_KEY and the bootstrap password are kept.",
  },
  REDIS_URL: {
    schema: redisUrl,
    fallback: null,
    fallbackNote: "no Redis",
    secret: true,
    help: "Redis or Valkey. Not needed: it is watched and told of in health, and nothing waits for it.",
  },
  ISSUER: {
    schema: issuer,
    fallback: null,
    fallbackNote: "http://localhost:PORT",
    help: "The `iss` of every token, and the address that links in answers begin with. An https issuer makes SECRET_KEY required.",
  },
  AUDIENCE: {
    schema: trimmedText,
    fallback: null,
    fallbackNote: "the issuer",
    help: "The `aud` of access tokens.",
  },
  SECRET_KEY: {
    schema: secretList,
    fallback: null,
    fallbackNote: "made once and kept under DATA_DIR, with the embedded database only",
    secret: true,
    help: "The secrets that refresh tokens and signing keys hang on, separated by commas; the first issues.",
  },
  PASSWORD_PEPPER: {
    schema: secretList,
    fallback: null,
    fallbackNote: "none",
    secret: true,
    help: "Secrets that are mixed into password hashes: a list like SECRET_KEY. A hash keeps the id of its pepper; dropping one makes its passwords unusable.",
  },
  BOOTSTRAP_USERNAME: {
    schema: trimmedText,
    fallback: "admin",
    help: "The first user, made with the role `admin` while there is no user at all.",
  },
  BOOTSTRAP_PASSWORD: {
    schema: anyText,
    fallback: null,
    fallbackNote: "a random one",
    secret: true,
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
    help: "How long a session lives without being used.",
  },
  SESSION_MAX_TTL: {
    schema: sessionTtlMs,
    fallback: "90d",
    help: "How long a session lives at most.",
  },
  REFRESH_GRACE: {
    schema: delayMs,
    fallback: "60s",
    help: "How long a refresh token is still answered after it was rotated out, so that parallel requests and lost answers end no session. 0s: not at all.",
  },
  MAX_SESSIONS_PER_USER: {
    schema: integer(1, 10_000),
    fallback: "100",
    help: "Live sessions that a user may have; with one more the oldest ends.",
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
    help: "Whether logins that name no client are taken, as those of the built-in first-party client `countersign`.",
  },
  BUILTIN_CLIENT_SCOPES: {
    schema: scopes,
    fallback: "",
    help: "The scopes that the built-in client may ask for, separated by spaces.",
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
    fallbackNote: "the cores, less than the threads of libuv's pool",
    help: "Password hashes that run at once.",
  },
  HASH_QUEUE_MAX: {
    schema: integer(0, 100_000),
    fallback: "128",
    help: "Password hashes that wait at most; beyond, logins are refused as `overloaded`.",
  },
  TRUSTED_PROXIES: {
    schema: cidrs,
    fallback: null,
    fallbackNote: "none",
    help: "Addresses and CIDR ranges of proxies whose X-Forwarded-For is believed, separated by commas.",
  },
  BASE_PATH: {
    schema: basePath,
    fallback: "",
    help: "A prefix of all REST paths, such as /api. Probes and RPC paths keep theirs.",
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
  REQUEST_TIMEOUT: {
    schema: timeoutMs,
    fallback: "15s",
    help: "The deadline of a call that names none, and the longest that one can name.",
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
  DRAIN_DELAY: {
    schema: delayMs,
    fallback: "0s",
    help: "At SIGTERM: how long readiness is false before the listener closes. Set it to what load balancers need to notice.",
  },
  DRAIN_TIMEOUT: {
    schema: timeoutMs,
    fallback: "20s",
    help: "At SIGTERM: how long requests under way may take to end.",
  },
  LOG_LEVEL: {
    schema: choice(["debug", "info", "warn", "error", "silent"]),
    fallback: "info",
    help: "The least severe level that is logged: debug, info, warn, error or silent.",
  },
} as const satisfies Record<string, Variable<unknown>>;

/** Names of the variables. */
export type VariableName = keyof typeof variables;

/** The values as read: undefined where unset without a default. */
export type Values = {
  readonly [Name in VariableName]?: ReturnType<(typeof variables)[Name]["schema"]["parse"]>;
};

/** The variables in the order of the documentation. */
export function listVariables(): (Variable<unknown> & { readonly name: VariableName })[] {
  return Object.entries(variables).map(([name, variable]) => ({ ...variable, name: name as VariableName }));
}
