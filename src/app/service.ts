import type { Registry } from "prom-client";
import type { Config } from "../config/config.ts";
import { losesCookies } from "../config/lost-cookies.ts";
import { createSite } from "../web/site.ts";
import type { Argon2Report } from "../hashing/choose-argon2.ts";
import { wholeSeconds } from "../lib/whole-seconds.ts";
import { createHealth, type Health } from "../ops/health.ts";
import { descriptorsForConnections } from "../ops/descriptors.ts";
import { createJobRunner } from "../ops/job-runner.ts";
import type { Log } from "../ops/logger.ts";
import { createMemoryGuard } from "../ops/memory-guard.ts";
import { createBuildMetrics } from "../ops/metrics/build-metrics.ts";
import { createClockMetrics } from "../ops/metrics/clock-metrics.ts";
import { createConnectionMetrics } from "../ops/metrics/connection-metrics.ts";
import { createJobMetrics } from "../ops/metrics/job-metrics.ts";
import { createHealthMetrics } from "../ops/metrics/health-metrics.ts";
import { createMetrics, type Metrics } from "../ops/metrics/metrics.ts";
import { createPeerMetrics } from "../ops/metrics/peer-metrics.ts";
import { createPostgresMetrics } from "../ops/metrics/postgres-metrics.ts";
import { createRequestMetrics } from "../ops/metrics/request-metrics.ts";
import { createSigningKeyMetrics } from "../ops/metrics/signing-key-metrics.ts";
import { createOpsListener } from "../ops/ops-listener.ts";
import { createStoreClock } from "../ops/store-clock.ts";
import { createClock, readClockMs } from "../postgres/clock.ts";
import { createCookieAuth } from "../api/guards/cookies/cookie-auth.ts";
import { createGuards } from "../api/guards/guards.ts";
import type { CookieAuth } from "../api/guards/cookies.ts";
import { createAuditService } from "../api/audit/service.ts";
import { createAuthService } from "../api/auth/service.ts";
import { createRoleService } from "../api/roles/service.ts";
import { createStandardServices } from "../api/standard/services.ts";
import { createTokenService } from "../api/token/service.ts";
import { createRpcTable, type RpcTable, type ServiceEntry } from "../api/router.ts";
import { bootstrapUser, type BootstrapUser } from "./bootstrap-user.ts";
import { buildCore } from "./core.ts";
import { createEnding, type Ending } from "./ending.ts";
import { createHealthChecks, type HealthChecks } from "./health-checks.ts";
import { openRedisParts } from "./open-redis.ts";
import { openStores, type Stores } from "./open-stores.ts";
import { readVersion } from "./read-version.ts";
import { startHashing } from "./start-hashing.ts";
import { openSecretKeys } from "./secret-keys.ts";
import { listJobs } from "./jobs.ts";
import { createTelemetry } from "./telemetry.ts";
import { buildUseCases, type UseCases } from "./use-cases.ts";
import { warnOfOff } from "./warn-of-off.ts";
import type { Listener } from "../http/connection/listener.ts";
import { createPublicListener } from "../http/public-listener.ts";

/** The running service. */
export interface Service {
  readonly port: number;
  readonly opsPort: number;
  /** The first user, where this start has made one. */
  readonly bootstrap: BootstrapUser | null;
  /** Settles with an error when the service cannot go on: its embedded database has ended. */
  readonly failed: Promise<Error>;
  /**
   * Ends the service: readiness turns false, load balancers get the time to see it, requests under way
   * are answered, then the stores are closed. Whoever asks again gets the same promise.
   */
  stop(): Promise<void>;
  /** What `stop` waits for now. */
  waitsFor(): string;
}

/** Connections to PostgreSQL beside the pool's: the probe's, and one for each kind of work that stands still. */
const connectionsBeside = 6;

/**
 * Builds the service by hand, bottom up, and starts it.
 *
 * @param argon2 the choice of the implementation that hashes, which is made meanwhile
 * @param onTerminal whether a person sees what is printed
 * @param signal ends the wait for the database
 * @throws where a port, a store or a key cannot be had; what was opened is closed again
 */
export async function startService(
  config: Config,
  log: Log,
  argon2: Promise<Argon2Report>,
  onTerminal: boolean,
  signal: AbortSignal,
): Promise<Service> {
  if (losesCookies(config)) log.warn({ issuer: config.issuer }, cookiesAreLost);
  const ending = createEnding();
  try {
    return await start(config, log, argon2, onTerminal, signal, ending);
  } catch (error) {
    await ending.run();
    throw error;
  }
}

async function start(
  config: Config,
  log: Log,
  argon2: Promise<Argon2Report>,
  onTerminal: boolean,
  signal: AbortSignal,
  ending: Ending,
): Promise<Service> {
  const metrics = createMetrics();
  const { registry } = metrics;
  createBuildMetrics(registry).tell({ version: await readVersion(), commit: config.buildCommit });
  const { checks, health, opsPort } = await openOps(config, log, metrics, ending);
  const telemetry = createTelemetry(log, registry, config.redis !== null || config.throttleRedis !== null);
  const hashingStart = startHashing(config, log, argon2, () => telemetry.events.emit("hashing.lost", null));
  // Awaited below; a store that fails first must not leave its failure to nobody.
  hashingStart.catch(() => undefined);
  ending.push("the hashing process", async () => (await hashingStart.catch(() => null))?.stop());
  const secrets = await openSecretKeys(config);
  const stores = await openStores(config, log, {
    joinRunning: false,
    observer: createPostgresMetrics(registry),
    signal,
    onOpened: (db) => checks.onDatabase(db),
  });
  checks.onSchema();
  ending.push("the database", () => stores.close());
  const redis = await openRedisParts(config, log, registry);
  ending.push("Redis", () => redis.close());
  checks.onRedis(redis);
  const clock = createStoreClock(() => readClockMs(stores.db));
  await clock.measure();
  createClockMetrics(registry, clock);
  checks.onClock(clock);

  const core = buildCore(config, {
    db: stores.db,
    secrets,
    engine: await hashingStart,
    redis,
    events: telemetry.events,
  });
  telemetry.watch(core);
  warnOfOff(core.policies, log);
  const keys = await core.loadKeys();
  const jobs = createJobRunner(log, createJobMetrics(registry));
  ending.push("the jobs", () => jobs.stop());
  await jobs.start(listJobs(config, log, core, keys));
  createSigningKeyMetrics(registry).watch(keys);
  const useCases = buildUseCases(config, core, {
    keys,
    clock: { estimate: () => clock.now(), read: createClock(stores.db) },
    events: telemetry.events,
  });
  const guards = createGuards({
    authenticate: useCases.authenticate,
    administrate: useCases.administrate,
    hasher: core.hasher,
    devices: core.devices,
    limits: core.throttle,
    audit: core.audit,
    cookieAuth: buildCookieAuth(config),
  });
  const table = createRpcTable(buildServices(config, useCases, health), guards);
  const bootstrap = await bootstrapUser(config, core, log, onTerminal);

  const listener = buildPublicListener(config, log, registry, { table, health, ending });
  const { port } = await listener.listen();
  health.setPhase("serving");
  return {
    port,
    opsPort,
    bootstrap,
    failed: whenDatabaseEnds(stores),
    ...createStop(config, log, { health, listener, ending }),
  };
}

/** The end in order: readiness, the wait for load balancers, the drain, and all that was opened, in reverse. */
function createStop(
  config: Config,
  log: Log,
  { health, listener, ending }: { health: Health; listener: Listener; ending: Ending },
): Pick<Service, "stop" | "waitsFor"> {
  let waitingFor = "nothing";
  const stop = async (): Promise<void> => {
    health.setPhase("draining");
    log.info({ delay_ms: config.drainDelayMs }, "the service is draining");
    waitingFor = "DRAIN_DELAY";
    await new Promise((resolve) => setTimeout(resolve, config.drainDelayMs));
    waitingFor = "requests under way";
    await listener.drain(config.drainTimeoutMs);
    await ending.run();
    log.info({}, "the service has stopped");
  };
  let stopping: Promise<void> | null = null;
  return {
    stop: () => (stopping ??= stop()),
    waitsFor: () => ending.current ?? waitingFor,
  };
}

/** Health and the private port, first of all: who watches a start is told what it waits for. */
async function openOps(
  config: Config,
  log: Log,
  metrics: Metrics,
  ending: Ending,
): Promise<{ checks: HealthChecks; health: Health; opsPort: number }> {
  const checks = createHealthChecks(config);
  const health = createHealth({ checks: checks.checks, log });
  ending.push("the health checks", () => health.stop());
  createHealthMetrics(metrics.registry).watch(health);
  const ops = createOpsListener({ host: config.opsHost, port: config.opsPort, health, metrics, log });
  const { port } = await ops.listen();
  ending.push("the private listener", () => ops.close());
  health.start();
  return { checks, health, opsPort: port };
}

/** The public port, and what watches that its callers leave the process enough memory. */
function buildPublicListener(
  config: Config,
  log: Log,
  registry: Registry,
  { table, health, ending }: { table: RpcTable; health: Health; ending: Ending },
): Listener {
  const peerMetrics = createPeerMetrics(registry);
  const memory = createMemoryGuard({
    hashingBytes: config.hashing.concurrency * config.argon2.memoryKib * 1024,
    onCritical: () => listener.shed(),
  });
  peerMetrics.watchMemory(memory);
  const listener = createPublicListener({
    config,
    table,
    site: createSite(config),
    health,
    log,
    requestMetrics: createRequestMetrics(registry),
    connectionMetrics: createConnectionMetrics(registry),
    peerMetrics,
    isMemoryScarce: () => memory.isScarce(),
    descriptorsMax: descriptorsForConnections(config.database.poolMax + connectionsBeside),
  });
  memory.start();
  ending.push("the memory guard", () => memory.stop());
  return listener;
}

/** Everything that can be called. */
function buildServices(config: Config, useCases: UseCases, health: Health): ServiceEntry[] {
  const { issuer, restUrl, reflection } = config;
  const own = [
    createAuthService(useCases),
    createTokenService({ ...useCases, issuer, restUrl }),
    createAuditService(useCases),
    createRoleService(useCases),
  ];
  const idleMs = config.streamIdleTimeoutMs;
  return [...own, ...createStandardServices(own, health, reflection ? { idleMs } : null)];
}

const cookiesAreLost =
  "the issuer is plain http and not localhost: browsers drop the cookies that they are given, and nobody stays signed in. Serve https and set ISSUER to it, or set AUTH_COOKIES=off";

/** Null where browsers get no cookies. */
function buildCookieAuth(config: Config): CookieAuth | null {
  const { issuer, corsOrigins, authModeHeader: modeHeader } = config;
  if (!config.authCookies || corsOrigins === "*") return null;
  const maxAges = {
    session: wholeSeconds(config.sessionIdleTtlMs),
    device: wholeSeconds(config.deviceTokenTtlMs),
  };
  return createCookieAuth({ issuer, origins: corsOrigins, modeHeader, maxAges });
}

/** An embedded database that ends by itself leaves nothing to serve. */
async function whenDatabaseEnds(stores: Stores): Promise<Error> {
  const ended = stores.embedded === null ? null : await stores.embedded.ended;
  if (ended === null || ended.expected) return new Promise(() => undefined);
  return new Error("the embedded PostgreSQL has ended; see postgres.log in DATA_DIR");
}
