import { Counter, Gauge, type Registry } from "prom-client";
import type { DatabaseObserver, FailureKind, PoolFigures } from "../../postgres/observer.ts";
import { stepBuckets } from "./buckets.ts";
import { createHotHistogram, type HotDistribution } from "./hot.ts";

const failureKinds: readonly FailureKind[] = ["no_connection", "unavailable", "conflict", "error"];

/** Registers the metrics of PostgreSQL. */
export function createPostgresMetrics(registry: Registry): DatabaseObserver {
  const registers = [registry];
  const statements = createHotHistogram({
    name: "countersign_postgres_statement_duration_seconds",
    help: "How long PostgreSQL took for a statement, by the statement's name in the stores. It includes the round trip, and the statements before it that were sent together with it.",
    labelNames: ["statement"] as const,
    buckets: stepBuckets,
    registry,
  });
  const failures = new Counter({
    name: "countersign_postgres_failures_total",
    help: "Failures by kind: no_connection (none became free in time), unavailable (lost, slow or shutting down; callers get 503), conflict (a row that exists already; expected), error (a bug of the service).",
    labelNames: ["kind"] as const,
    registers,
  });
  for (const kind of failureKinds) failures.inc({ kind }, 0);
  const waits = createHotHistogram({
    name: "countersign_postgres_pool_wait_seconds",
    help: "How long callers waited for a connection of the pool. If it rises, statements are slow or the pool is too small.",
    labelNames: [],
    buckets: stepBuckets,
    registry,
  }).series({});
  const watchPool = createPoolMetrics(registry);
  const byName = new Map<string, HotDistribution>();
  return {
    onStatement(name, seconds) {
      let series = byName.get(name);
      if (series === undefined) byName.set(name, (series = statements.series({ statement: name })));
      series.observe(seconds);
    },
    onFailure: (kind) => failures.inc({ kind }),
    onWaited: (seconds) => waits.observe(seconds),
    watchPool,
  };
}

function createPoolMetrics(registry: Registry): DatabaseObserver["watchPool"] {
  const registers = [registry];
  let read: (() => PoolFigures) | null = null;
  const connections = new Gauge({
    name: "countersign_postgres_pool_connections",
    help: "Connections to PostgreSQL that are open: idle, or busy with a caller.",
    labelNames: ["state"] as const,
    registers,
    collect() {
      if (read === null) return;
      const { idle, busy, max, waiting, isAway } = read();
      connections.set({ state: "idle" }, idle);
      connections.set({ state: "busy" }, busy);
      limit.set(max);
      queue.set(waiting);
      away.set(isAway ? 1 : 0);
    },
  });
  const limit = new Gauge({
    name: "countersign_postgres_pool_max_connections",
    help: "The connections that may be in use at once (DATABASE_POOL_MAX). One more checks whether PostgreSQL answers, and up to five more serve kinds of work that would otherwise wait for another kind.",
    registers,
  });
  const queue = new Gauge({
    name: "countersign_postgres_pool_waiting",
    help: "Callers that wait for a connection of the pool.",
    registers,
  });
  const away = new Gauge({
    name: "countersign_postgres_away",
    help: "1 while no host of DATABASE_URL answers: calls that need PostgreSQL fail at once as unavailable.",
    aggregator: "max",
    registers,
  });
  return (source) => {
    read = source;
  };
}
