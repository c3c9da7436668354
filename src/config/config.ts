import { BlockList } from "node:net";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { crossCheck, isProduction } from "./cross-checks.ts";
import { deriveHashConcurrency, deriveWorkers } from "./cores.ts";
import { readCgroupLimits } from "../lib/cgroup-limits.ts";
import type { RedisTarget } from "../lib/redis-url.ts";
import { findOddNames, type OddName } from "./odd-names.ts";
import { type Reading, readValues } from "./read-values.ts";
import { readThrottles, type Throttles } from "./read-throttles.ts";
import type { Values, VariableName } from "./variables.ts";

/** How Redis is reached. */
export interface RedisConfig {
  readonly target: RedisTarget;
  /** Certificates to trust in place of the system's; null for the system's. */
  readonly caFile: string | null;
  readonly keyPrefix: string;
  readonly timeoutMs: number;
}

/** The whole configuration, read and checked. Durations are milliseconds. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly opsPort: number;
  readonly opsHost: string;
  /** Processes that serve the public port. */
  readonly workers: number;
  /** Whether NODE_ENV, DATABASE_URL or an https issuer make this a production start. */
  readonly production: boolean;
  readonly database: DatabaseConfig;
  /** Null for no Redis. */
  readonly redis: RedisConfig | null;
  readonly dataDir: string;
  /** Without a slash at its end. */
  readonly issuer: string;
  /** The issuer with the base path: what REST paths are appended to in links. */
  readonly restUrl: string;
  readonly audience: string;
  /** The first is used for new tokens; null if one is to be made and kept under `dataDir`. */
  readonly secretKeys: readonly string[] | null;
  readonly passwordPeppers: readonly string[];
  readonly bootstrap: { readonly username: string; readonly password: string | null };
  readonly accessTokenTtlMs: number;
  readonly sessionIdleTtlMs: number;
  readonly sessionMaxTtlMs: number;
  readonly refreshGraceMs: number;
  readonly refreshGraceBinding: NonNullable<Values["REFRESH_GRACE_BINDING"]>;
  readonly refreshLateAnswers: boolean;
  readonly sessionsPerUserMax: number;
  readonly signingAlgorithm: NonNullable<Values["SIGNING_ALGORITHM"]>;
  readonly signingKeyLifetimeMs: number;
  readonly builtinClient: { readonly enabled: boolean; readonly scopes: readonly string[] };
  /** How long a month of the audit trail is kept after its end; Infinity for ever. */
  readonly auditRetentionMs: number;
  readonly argon2: { readonly memoryKib: number; readonly iterations: number; readonly parallelism: number };
  readonly hashing: {
    readonly concurrency: number;
    readonly niceness: number;
    readonly queueMax: number;
    readonly waitMaxMs: number;
  };
  readonly deviceTokenTtlMs: number;
  /** The limits by their names; null for one that is switched off. */
  readonly throttles: Throttles;
  /** The Redis that counts the limits, if it is not the one of the sessions; null for none. */
  readonly throttleRedis: RedisConfig | null;
  readonly trustedProxies: BlockList;
  /** Serialised origins, or all. */
  readonly corsOrigins: readonly string[] | "*";
  readonly authCookies: boolean;
  readonly authModeHeader: string;
  readonly basePath: string;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  readonly reflection: boolean;
  readonly referencePage: boolean;
  readonly requestTimeoutMs: number;
  readonly headerTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly connectionsMax: number;
  readonly requestsMax: number;
  readonly streamsMax: number;
  readonly streamAgeMaxMs: number;
  readonly streamIdleTimeoutMs: number;
  readonly drainDelayMs: number;
  readonly drainTimeoutMs: number;
  readonly logLevel: NonNullable<Values["LOG_LEVEL"]>;
  /** The commit that was built; null if it is not known. */
  readonly buildCommit: string | null;
  /** PATH, to find a PostgreSQL of the system if the embedded one is missing. */
  readonly searchPath: string;
}

/** Where users and sessions are. */
export interface DatabaseConfig {
  /** Null for the embedded PostgreSQL. */
  readonly url: string | null;
  readonly poolMax: number;
  readonly timeoutMs: number;
  readonly prepare: NonNullable<Values["DATABASE_PREPARE"]>;
}

/** The configuration, and all that is wrong with it. */
export interface ExaminedConfig extends Omit<Reading, "values"> {
  /** Names in the environment that are probably misspelt: close to a variable, but none. */
  readonly oddNames: readonly OddName[];
  /** Usable only if there are no problems; a broken variable has its default here. */
  readonly config: Config;
}

/**
 * Reads the environment, and finds every problem at once. To run with what it says, call readConfig
 * of src/app, which refuses a configuration with problems.
 */
export function examineConfig(env: NodeJS.ProcessEnv = process.env): ExaminedConfig {
  const reading = readValues(env);
  const { given, broken } = reading;
  return {
    config: toConfig(reading, env),
    problems: [...reading.problems, ...crossCheck(reading)],
    given,
    broken,
    oddNames: findOddNames(env),
  };
}

/** The value of a variable that has a default. */
type Need = <Name extends VariableName>(name: Name) => NonNullable<Values[Name]>;

function toConfig(reading: Reading, env: NodeJS.ProcessEnv): Config {
  const { values } = reading;
  const need: Need = (name) => {
    const value = values[name];
    if (value === undefined || value === null) throw new Error(`${name} has neither a value nor a default`);
    return value;
  };
  const workers = deriveWorkers(need("WORKERS"), availableParallelism(), readCgroupLimits());
  const issuer = values.ISSUER ?? `http://localhost:${need("PORT")}`;
  return {
    host: need("HOST"),
    port: need("PORT"),
    opsPort: need("OPS_PORT"),
    opsHost: need("OPS_HOST"),
    workers,
    production: isProduction(reading),
    database: {
      url: values.DATABASE_URL ?? null,
      poolMax: need("DATABASE_POOL_MAX"),
      timeoutMs: need("DATABASE_TIMEOUT"),
      prepare: need("DATABASE_PREPARE"),
    },
    redis: readRedis(values.REDIS_URL, values, need),
    dataDir: resolve(need("DATA_DIR")),
    issuer,
    restUrl: restUrlOf(issuer, need("BASE_PATH")),
    audience: values.AUDIENCE ?? issuer,
    secretKeys: values.SECRET_KEY ?? null,
    passwordPeppers: values.PASSWORD_PEPPER ?? [],
    bootstrap: { username: need("BOOTSTRAP_USERNAME"), password: values.BOOTSTRAP_PASSWORD ?? null },
    accessTokenTtlMs: need("ACCESS_TOKEN_TTL"),
    sessionIdleTtlMs: need("SESSION_IDLE_TTL"),
    sessionMaxTtlMs: need("SESSION_MAX_TTL"),
    refreshGraceMs: need("REFRESH_GRACE"),
    refreshGraceBinding: need("REFRESH_GRACE_BINDING"),
    refreshLateAnswers: need("REFRESH_LATE_ANSWER"),
    sessionsPerUserMax: need("MAX_SESSIONS_PER_USER"),
    signingAlgorithm: need("SIGNING_ALGORITHM"),
    signingKeyLifetimeMs: need("SIGNING_KEY_LIFETIME"),
    builtinClient: { enabled: need("BUILTIN_CLIENT"), scopes: need("BUILTIN_CLIENT_SCOPES") },
    auditRetentionMs: need("AUDIT_RETENTION"),
    argon2: {
      memoryKib: need("ARGON2_MEMORY_KIB"),
      iterations: need("ARGON2_ITERATIONS"),
      parallelism: need("ARGON2_PARALLELISM"),
    },
    hashing: {
      concurrency:
        values.HASH_CONCURRENCY ??
        deriveHashConcurrency(availableParallelism(), readCgroupLimits(), need("ARGON2_MEMORY_KIB"), workers),
      niceness: need("HASH_NICENESS"),
      queueMax: need("HASH_QUEUE_MAX"),
      waitMaxMs: need("HASH_WAIT_MAX"),
    },
    deviceTokenTtlMs: need("DEVICE_TOKEN_TTL"),
    throttles: readThrottles(values),
    throttleRedis: readRedis(values.THROTTLE_REDIS_URL, values, need),
    trustedProxies: values.TRUSTED_PROXIES ?? new BlockList(),
    corsOrigins: values.CORS_ORIGINS ?? [],
    authCookies: need("AUTH_COOKIES"),
    authModeHeader: need("AUTH_MODE_HEADER"),
    basePath: need("BASE_PATH"),
    tls: readTls(values),
    reflection: need("REFLECTION"),
    referencePage: need("REFERENCE_PAGE"),
    requestTimeoutMs: need("REQUEST_TIMEOUT"),
    headerTimeoutMs: need("HEADER_TIMEOUT"),
    bodyTimeoutMs: need("BODY_TIMEOUT"),
    connectionsMax: need("CONNECTIONS_MAX"),
    requestsMax: need("REQUESTS_MAX"),
    streamsMax: need("STREAMS_MAX"),
    streamAgeMaxMs: need("STREAM_AGE_MAX"),
    streamIdleTimeoutMs: need("STREAM_IDLE_TIMEOUT"),
    drainDelayMs: need("DRAIN_DELAY"),
    drainTimeoutMs: need("DRAIN_TIMEOUT"),
    logLevel: need("LOG_LEVEL"),
    buildCommit: values.BUILD_COMMIT ?? null,
    searchPath: env["PATH"] ?? "",
  };
}

function readRedis(target: RedisTarget | undefined, values: Values, need: Need): RedisConfig | null {
  if (target === undefined) return null;
  const caFile = values.REDIS_CA_FILE === undefined ? null : resolve(values.REDIS_CA_FILE);
  return { target, caFile, keyPrefix: need("REDIS_KEY_PREFIX"), timeoutMs: need("REDIS_TIMEOUT") };
}

function readTls(values: Values): Config["tls"] {
  if (values.TLS_CERT_FILE === undefined || values.TLS_KEY_FILE === undefined) return null;
  return { certFile: resolve(values.TLS_CERT_FILE), keyFile: resolve(values.TLS_KEY_FILE) };
}

/** The address that REST paths are appended to. An issuer may name the base path itself. */
function restUrlOf(issuer: string, basePath: string): string {
  return basePath === "" || new URL(issuer).pathname.endsWith(basePath) ? issuer : issuer + basePath;
}
