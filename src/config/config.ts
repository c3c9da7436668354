import { BlockList } from "node:net";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { crossCheck, isProduction } from "./cross-checks.ts";
import { type Reading, readValues } from "./read-values.ts";
import type { Values, VariableName } from "./variables.ts";

/** Everything that a start can be told, read and checked. Durations are milliseconds. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly opsPort: number;
  /** Whether NODE_ENV, DATABASE_URL or an https issuer make this a production start. */
  readonly production: boolean;
  readonly database: DatabaseConfig;
  readonly redisUrl: string | null;
  readonly dataDir: string;
  /** Without a slash at its end. */
  readonly issuer: string;
  /** The issuer with the base path: what REST paths are appended to in links. */
  readonly restUrl: string;
  readonly audience: string;
  /** The first issues; null where one is to be made and kept under `dataDir`. */
  readonly secretKeys: readonly string[] | null;
  readonly passwordPeppers: readonly string[];
  readonly bootstrap: { readonly username: string; readonly password: string | null };
  readonly accessTokenTtlMs: number;
  readonly sessionIdleTtlMs: number;
  readonly sessionMaxTtlMs: number;
  readonly refreshGraceMs: number;
  readonly sessionsPerUserMax: number;
  readonly signingAlgorithm: NonNullable<Values["SIGNING_ALGORITHM"]>;
  readonly signingKeyLifetimeMs: number;
  readonly builtinClient: { readonly enabled: boolean; readonly scopes: readonly string[] };
  readonly argon2: { readonly memoryKib: number; readonly iterations: number; readonly parallelism: number };
  readonly hashing: { readonly concurrency: number; readonly queueMax: number };
  readonly trustedProxies: BlockList;
  readonly basePath: string;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  readonly reflection: boolean;
  readonly requestTimeoutMs: number;
  readonly headerTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly drainDelayMs: number;
  readonly drainTimeoutMs: number;
  readonly logLevel: NonNullable<Values["LOG_LEVEL"]>;
  /** PATH, for a PostgreSQL of the system where the embedded one is missing. */
  readonly searchPath: string;
}

/** Where users and sessions are. */
export interface DatabaseConfig {
  /** Null for the embedded PostgreSQL. */
  readonly url: string | null;
  readonly poolMax: number;
  readonly timeoutMs: number;
}

/** The configuration, and all that is wrong with it. */
export interface ExaminedConfig extends Omit<Reading, "values"> {
  /** Only fit to be run with where there are no problems; a broken variable has its default here. */
  readonly config: Config;
}

/**
 * Reads the environment, and finds every problem at once. To run with what it says, call readConfig
 * of src/start, which refuses it where there are any.
 */
export function examineConfig(env: NodeJS.ProcessEnv = process.env): ExaminedConfig {
  const reading = readValues(env);
  const { given, broken } = reading;
  return {
    config: toConfig(reading, env),
    problems: [...reading.problems, ...crossCheck(reading)],
    given,
    broken,
  };
}

function toConfig(reading: Reading, env: NodeJS.ProcessEnv): Config {
  const { values } = reading;
  const need = <Name extends VariableName>(name: Name): NonNullable<Values[Name]> => {
    const value = values[name];
    if (value === undefined || value === null) throw new Error(`${name} has neither a value nor a default`);
    return value;
  };
  const issuer = values.ISSUER ?? `http://localhost:${need("PORT")}`;
  return {
    host: need("HOST"),
    port: need("PORT"),
    opsPort: need("OPS_PORT"),
    production: isProduction(reading),
    database: {
      url: values.DATABASE_URL ?? null,
      poolMax: need("DATABASE_POOL_MAX"),
      timeoutMs: need("DATABASE_TIMEOUT"),
    },
    redisUrl: values.REDIS_URL ?? null,
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
    sessionsPerUserMax: need("MAX_SESSIONS_PER_USER"),
    signingAlgorithm: need("SIGNING_ALGORITHM"),
    signingKeyLifetimeMs: need("SIGNING_KEY_LIFETIME"),
    builtinClient: { enabled: need("BUILTIN_CLIENT"), scopes: need("BUILTIN_CLIENT_SCOPES") },
    argon2: {
      memoryKib: need("ARGON2_MEMORY_KIB"),
      iterations: need("ARGON2_ITERATIONS"),
      parallelism: need("ARGON2_PARALLELISM"),
    },
    hashing: {
      concurrency: values.HASH_CONCURRENCY ?? defaultHashConcurrency(env),
      queueMax: need("HASH_QUEUE_MAX"),
    },
    trustedProxies: values.TRUSTED_PROXIES ?? new BlockList(),
    basePath: need("BASE_PATH"),
    tls: readTls(values),
    reflection: need("REFLECTION"),
    requestTimeoutMs: need("REQUEST_TIMEOUT"),
    headerTimeoutMs: need("HEADER_TIMEOUT"),
    bodyTimeoutMs: need("BODY_TIMEOUT"),
    drainDelayMs: need("DRAIN_DELAY"),
    drainTimeoutMs: need("DRAIN_TIMEOUT"),
    logLevel: need("LOG_LEVEL"),
    searchPath: env["PATH"] ?? "",
  };
}

function readTls(values: Values): Config["tls"] {
  if (values.TLS_CERT_FILE === undefined || values.TLS_KEY_FILE === undefined) return null;
  return { certFile: resolve(values.TLS_CERT_FILE), keyFile: resolve(values.TLS_KEY_FILE) };
}

/** A core each, and one thread of libuv's pool is left to everything else. */
function defaultHashConcurrency(env: NodeJS.ProcessEnv): number {
  return Math.max(1, Math.min(availableParallelism(), threadPoolSize(env) - 1));
}

/** The threads of libuv's pool: what UV_THREADPOOL_SIZE says, which libuv itself reads, else its default. */
function threadPoolSize(env: NodeJS.ProcessEnv): number {
  const size = Number(env["UV_THREADPOOL_SIZE"]);
  return Number.isInteger(size) && size > 0 ? size : 4;
}

/** The address that REST paths are appended to. An issuer may name the base path itself. */
function restUrlOf(issuer: string, basePath: string): string {
  return basePath === "" || new URL(issuer).pathname.endsWith(basePath) ? issuer : issuer + basePath;
}
