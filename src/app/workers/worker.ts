import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../../config/config.ts";
import type { Arrivals, Listener } from "../../http/connection/listener.ts";
import { createHealth, type Health } from "../../ops/health.ts";
import { createJobRunner } from "../../ops/job-runner.ts";
import { createSharedLogger, type Log } from "../../ops/logger.ts";
import { createJobMetrics } from "../../ops/metrics/job-metrics.ts";
import { createMetrics, type Metrics } from "../../ops/metrics/metrics.ts";
import { createPostgresMetrics } from "../../ops/metrics/postgres-metrics.ts";
import type { Commons, Remembered } from "../commons.ts";
import { createEnding, type Ending } from "../ending.ts";
import { openGround } from "../ground.ts";
import { createHealthChecks } from "../health-checks.ts";
import { listWorkerJobs } from "../jobs.ts";
import { joinStores } from "../open-stores.ts";
import { buildPublicPort } from "../public-port.ts";
import { readConfig } from "../read-config.ts";
import { createTelemetry } from "../telemetry.ts";
import { askSupervisor } from "./ask-supervisor.ts";
import type { Orders, SupervisorCalls, WorkerCalls } from "./calls.ts";
import { openChannel } from "./channel.ts";
import { shareOfConfig } from "./share-of-config.ts";
import { createWire, type Wire } from "./wire.ts";

const reportMs = 1_000;
/** A worker that serves is ready as soon as its database answers. */
const [readyWaitMs, readyPollMs] = [2_000, 10];

/** A worker that serves. */
interface Serving {
  readonly metrics: Metrics;
  readonly health: Health;
  readonly listener: Listener;
  readonly ending: Ending;
  forget(what: Remembered): void;
}

/**
 * Serves what its supervisor hands over, until that lets it drain. It ends at once when the supervisor is gone, and heeds
 * no signal: what reaches its whole process group is the supervisor's to heed.
 *
 * @returns when it has drained
 */
export async function runWorker(): Promise<void> {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => undefined);
  process.on("disconnect", () => process.exit(hasDrained ? 0 : 1));
  const wire = createWire(process);
  const config = shareOfConfig(readConfig());
  const arrivals = createArrivals(wire);
  const drained = Promise.withResolvers<void>();
  let serving: Serving | null = null;
  let instances = 1;
  let hasDrained = false;

  const report = async (): Promise<void> => {
    const { ready = false, failing = [] } = serving?.health.readyz() ?? {};
    instances = await supervisor.call("report", { ready, failing, connections: arrivals.open() });
  };
  const supervisor = openChannel<SupervisorCalls, WorkerCalls>(wire, {
    async serve(orders) {
      instances = orders.instances;
      const log = createSharedLogger(config.logLevel, orders.onTerminal, { worker: orders.number });
      const commons = askSupervisor(supervisor, () => instances);
      serving = await serve(config, log, orders, commons, arrivals);
      serving.health.onChange(() => void report());
      await whenReady(serving.health);
      await report();
      setInterval(() => void report(), reportMs).unref();
      return null;
    },
    forget(what) {
      serving?.forget(what);
      return null;
    },
    readMetrics: async () => (await serving?.metrics.registry.getMetricsAsJSON()) ?? [],
    announceDrain() {
      serving?.health.setPhase("draining");
      return null;
    },
    async drain({ timeoutMs }) {
      await serving?.listener.drain(timeoutMs);
      await serving?.ending.run();
      hasDrained = true;
      drained.resolve();
      return null;
    },
  });
  await drained.promise;
  // The answer is on its way.
  process.disconnect?.();
}

/** Everything that a worker has of its own, bottom up. */
async function serve(
  config: Config,
  log: Log,
  orders: Orders,
  commons: Commons,
  arrivals: Arrivals,
): Promise<Serving> {
  const ending = createEnding();
  const metrics = createMetrics();
  const { registry } = metrics;
  const checks = createHealthChecks(config, 0);
  // The supervisor does the same checks, and tells of them.
  const health = createHealth({
    checks: checks.checks,
    log: { info: () => undefined, warn: () => undefined },
  });
  ending.push("the health checks", () => health.stop());
  health.start();
  const telemetry = createTelemetry(log, registry, config.redis !== null || config.throttleRedis !== null);
  const { events } = telemetry;
  telemetry.watch({ ...nothingKept, instances: () => commons.instances() });
  const db = await joinStores(config, log, orders.target, {
    observer: createPostgresMetrics(registry),
    onOpened: (opened) => checks.onDatabase(opened),
  });
  checks.onSchema();
  ending.push("the database", () => db.end());
  const { secrets } = orders;
  const ground = await openGround(config, log, { db, secrets, commons, events, registry, checks, ending });
  const jobs = createJobRunner(log, createJobMetrics(registry));
  ending.push("the jobs", () => jobs.stop());
  await jobs.start(listWorkerJobs(ground.core, ground.keys));
  const listener = buildPublicPort({ config, log, registry, health, ground, ending, arrivals });
  await listener.listen();
  health.setPhase("serving");
  return {
    metrics,
    health,
    listener,
    ending,
    forget({ kind, id }) {
      if (kind === "user") ground.core.sessions.forgetUserHere(id);
      else ground.core.clients.forgetHere(id);
    },
  };
}

/** What a worker's metrics read as zero: its supervisor keeps it, and counts it. */
const nothingKept = {
  hashQueue: { countWaiting: () => 0, countRunning: () => 0 },
  memoryBuckets: { size: 0 },
};

/** The connections that come over the wire. */
function createArrivals(wire: Wire): Arrivals & { open(): number } {
  const open = new Set<Socket>();
  return {
    open: () => open.size,
    begin(take) {
      wire.receive((message, socket) => {
        if ((message as { readonly kind: string }).kind !== "connection") return;
        if (socket !== undefined) {
          open.add(socket);
          socket.once("close", () => open.delete(socket));
          take(socket);
        }
        wire.send({ kind: "took", connections: open.size });
      });
    },
  };
}

async function whenReady(health: Health): Promise<void> {
  const deadline = performance.now() + readyWaitMs;
  while (!health.readyz().ready && performance.now() < deadline) await sleep(readyPollMs);
}
