import type { Config } from "../config/config.ts";
import { losesCookies } from "../config/lost-cookies.ts";
import type { HashEngine } from "../hashing/hash-work.ts";
import { createHealth, type Health } from "../ops/health.ts";
import { createJobRunner } from "../ops/job-runner.ts";
import type { Log } from "../ops/logger.ts";
import { createBuildMetrics } from "../ops/metrics/build-metrics.ts";
import { createHealthMetrics } from "../ops/metrics/health-metrics.ts";
import { createJobMetrics } from "../ops/metrics/job-metrics.ts";
import { createMetrics, type Metrics } from "../ops/metrics/metrics.ts";
import { createPostgresMetrics } from "../ops/metrics/postgres-metrics.ts";
import { createOpsListener } from "../ops/ops-listener.ts";
import { bootstrapUser, type BootstrapUser } from "./bootstrap-user.ts";
import { keepCommons } from "./commons.ts";
import { createEnding, type Ending } from "./ending.ts";
import type { Door, Front } from "./front.ts";
import { openGround } from "./ground.ts";
import { createHealthChecks, type HealthChecks } from "./health-checks.ts";
import { listJobs } from "./jobs.ts";
import { openStores, type Stores } from "./open-stores.ts";
import { readVersion } from "./read-version.ts";
import { openSecretKeys } from "./secret-keys.ts";
import { chooseHashing, startHashing } from "./start-hashing.ts";
import { createTelemetry } from "./telemetry.ts";
import { warnOfOff } from "./warn-of-off.ts";

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

const cookiesAreLost =
  "the issuer is plain http and not localhost: browsers drop the cookies that they are given, and nobody stays signed in. Serve https and set ISSUER to it, or set AUTH_COOKIES=off";

/**
 * Builds the service by hand, bottom up, and starts it.
 *
 * @param onTerminal whether a person sees what is printed
 * @param signal ends the wait for the database
 * @throws where a port, a store or a key cannot be had; what was opened is closed again
 */
export async function startService(
  config: Config,
  log: Log,
  onTerminal: boolean,
  signal: AbortSignal,
): Promise<Service> {
  if (losesCookies(config)) log.warn({ issuer: config.issuer }, cookiesAreLost);
  const ending = createEnding();
  try {
    return await start(config, log, onTerminal, signal, ending);
  } catch (error) {
    await ending.run();
    throw error;
  }
}

async function start(
  config: Config,
  log: Log,
  onTerminal: boolean,
  signal: AbortSignal,
  ending: Ending,
): Promise<Service> {
  const metrics = createMetrics();
  const { registry } = metrics;
  createBuildMetrics(registry).tell({ version: await readVersion(), commit: config.buildCommit });
  const { checks, health, opsPort } = await openOps(config, log, metrics, ending);
  const telemetry = createTelemetry(log, registry, config.redis !== null || config.throttleRedis !== null);
  const { events } = telemetry;
  const hashingStart = startHashing(config, log, () => events.emit("hashing.lost", null));
  // Awaited below; a store that fails first must not leave its failure to nobody.
  hashingStart.catch(() => undefined);
  ending.push("the hashing process", async () => (await hashingStart.catch(() => null))?.stop());
  // Loading holds this process up for a while; the one that hashes starts meanwhile, on another core.
  const front = loadFront(config, log);
  ending.push("the workers", async () => (await front).stop());
  const secrets = await openSecretKeys(config);
  const stores = await openStores(config, log, {
    joinRunning: false,
    observer: createPostgresMetrics(registry),
    signal,
    onOpened: (db) => checks.onDatabase(db),
  });
  checks.onSchema();
  ending.push("the database", () => stores.close());
  const { db } = stores;
  const engine: HashEngine = { run: async (work) => (await hashingStart).run(work) };
  const commons = keepCommons(config, { db, engine, events, front: await front });
  telemetry.watch(commons);
  const ground = await openGround(config, log, { db, secrets, commons, events, registry, checks, ending });
  const { core, keys } = ground;
  warnOfOff(core.policies, log);
  const jobs = createJobRunner(log, createJobMetrics(registry));
  ending.push("the jobs", () => jobs.stop());
  const hashing = await hashingStart;
  await jobs.start(listJobs(config, log, core, keys, commons.heartbeat));
  const bootstrap = await bootstrapUser(config, core, log, onTerminal);

  const door = await (await front).open({
    config,
    log,
    metrics,
    health,
    checks,
    commons,
    ground,
    secrets,
    target: stores.target,
    onTerminal,
    ending,
  });
  health.setPhase("serving");
  const choice = new AbortController();
  const chosen = chooseHashing(config, log, hashing, choice.signal);
  ending.push("the choice of the implementation that hashes", () => {
    choice.abort();
    return chosen;
  });
  return {
    port: door.port,
    opsPort,
    bootstrap,
    failed: Promise.race([door.failed, whenDatabaseEnds(stores)]),
    ...createStop(config, log, { health, door, ending }),
  };
}

/** The end in order: readiness, the wait for load balancers, the drain, and all that was opened, in reverse. */
function createStop(
  config: Config,
  log: Log,
  { health, door, ending }: { health: Health; door: Door; ending: Ending },
): Pick<Service, "stop" | "waitsFor"> {
  let waitingFor = "nothing";
  const stop = async (): Promise<void> => {
    health.setPhase("draining");
    log.info({ delay_ms: config.drainDelayMs }, "the service is draining");
    waitingFor = "DRAIN_DELAY";
    await new Promise((resolve) => setTimeout(resolve, config.drainDelayMs));
    waitingFor = "requests under way";
    await door.drain(config.drainTimeoutMs);
    await ending.run();
    log.info({}, "the service has stopped");
  };
  let stopping: Promise<void> | null = null;
  return {
    stop: () => (stopping ??= stop()),
    waitsFor: () => ending.current ?? waitingFor,
  };
}

/** Loaded while the stores are opened: a supervisor needs nothing of what its workers load. */
async function loadFront(config: Config, log: Log): Promise<Front> {
  if (config.workers === 1) return (await import("./serve-here.ts")).serveHere;
  return (await import("./workers/serve-by-workers.ts")).serveByWorkers(config, log);
}

/** Health and the private port, first of all: who watches a start is told what it waits for. */
async function openOps(
  config: Config,
  log: Log,
  metrics: Metrics,
  ending: Ending,
): Promise<{ checks: HealthChecks; health: Health; opsPort: number }> {
  const checks = createHealthChecks(config, config.workers === 1 ? 0 : config.workers);
  const health = createHealth({ checks: checks.checks, log });
  ending.push("the health checks", () => health.stop());
  createHealthMetrics(metrics.registry).watch(health);
  const ops = createOpsListener({ host: config.opsHost, port: config.opsPort, health, metrics, log });
  const { port } = await ops.listen();
  ending.push("the private listener", () => ops.close());
  health.start();
  return { checks, health, opsPort: port };
}

/** An embedded database that ends by itself leaves nothing to serve. */
async function whenDatabaseEnds(stores: Stores): Promise<Error> {
  const ended = stores.embedded === null ? null : await stores.embedded.ended;
  if (ended === null || ended.expected) return new Promise(() => undefined);
  return new Error("the embedded PostgreSQL has ended; see postgres.log in DATA_DIR");
}
