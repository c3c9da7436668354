import type { Registry } from "prom-client";
import type { AuditEventType } from "../domain/audit/audit-event.ts";
import { createEvents, type Events, type HandlersOf } from "../domain/events.ts";
import type { HashQueue } from "../domain/password/queue/hash-queue.ts";
import type { SessionRef } from "../domain/session/session.ts";
import type { MemoryBuckets } from "../domain/throttle/memory-buckets.ts";
import type { Log } from "../ops/logger.ts";
import { createAuditMetrics } from "../ops/metrics/audit-metrics.ts";
import { createHashingMetrics, type HashingMetrics } from "../ops/metrics/hashing-metrics.ts";
import { createSessionMetrics, type SessionMetrics } from "../ops/metrics/session-metrics.ts";
import { createThrottleMetrics } from "../ops/metrics/throttle-metrics.ts";
import type { KeptCommons } from "./commons.ts";
import { warn, warnRarely } from "./warn.ts";

/** What metrics read when they are read. */
interface Watched extends Pick<KeptCommons, "instances"> {
  readonly hashQueue: Pick<HashQueue, "countWaiting" | "countRunning">;
  readonly memoryBuckets: Pick<MemoryBuckets, "size">;
}

/** Writes log lines and metrics of what happens. */
export interface Telemetry {
  /** Where the domain says what happens. */
  readonly events: Events;
  /** Reads depths and counts from now on, whenever the metrics are read. */
  watch(commons: Watched): void;
}

/** The one subscriber of what happens in the domain. */
export function createTelemetry(log: Log, registry: Registry, sharesLimits: boolean): Telemetry {
  const hashing = createHashingMetrics(registry);
  const rolesLeftOut = warnRarely(log, "access tokens were issued without roles: their users have too many");
  let commons: Watched | null = null;
  const events = createEvents({
    ...onSessions(log, createSessionMetrics(registry)),
    ...onAudit(log, registry),
    ...onLimits(log, registry, sharesLimits, () => commons),
    ...onHashing(log, hashing),
    "token.roles_left_out": () => rolesLeftOut("roles"),
  });
  return {
    events,
    watch(source) {
      commons = source;
      hashing.watch(source.hashQueue);
    },
  };
}

function onSessions(log: Log, metrics: SessionMetrics): SessionMetrics & HandlersOf<"session.caught_up"> {
  const about = ({ id, userId }: SessionRef) => ({ session_id: id, user_id: userId });
  let isSaving = true;
  return {
    ...metrics,
    "session.reused"(session) {
      log.warn(about(session), "a refresh token was used again after its grace; its session has ended");
      metrics["session.reused"](session);
    },
    "session.caught_up"(session) {
      log.warn(
        about(session),
        "a refresh token is newer than the store, which has lost a write; the store catches up",
      );
    },
    "rotations.save_failed"(error) {
      if (isSaving) {
        log.warn({ err: error }, "could not save rotations from Redis to PostgreSQL yet; will retry");
      }
      isSaving = false;
      metrics["rotations.save_failed"](error);
    },
    "rotations.save_refused"(error) {
      log.error(
        { err: error },
        "PostgreSQL refuses a rotation from Redis; it keeps its own state of the session",
      );
      metrics["rotations.save_refused"](error);
    },
    "rotations.waiting"(waiting) {
      isSaving ||= waiting.sessions === 0;
      metrics["rotations.waiting"](waiting);
    },
  };
}

/** One log line for all that a flush has dropped. */
function onAudit(
  log: Log,
  registry: Registry,
): HandlersOf<"audit.recorded" | "audit.failed" | "audit.dropped" | "audit.flushed"> {
  const metrics = createAuditMetrics(registry);
  let [events, cause]: [number, unknown] = [0, undefined];
  const types = new Set<AuditEventType>();
  return {
    ...metrics,
    "audit.dropped"(dropped) {
      metrics["audit.dropped"](dropped);
      events += dropped.count;
      cause = dropped.error;
      types.add(dropped.event.type);
    },
    "audit.flushed"() {
      if (events === 0) return;
      const message = "the database refuses counted audit events for their content; they were dropped";
      log.error({ events, types: [...types], err: cause }, message);
      events = 0;
      types.clear();
    },
  };
}

function onLimits(
  log: Log,
  registry: Registry,
  isShared: boolean,
  find: () => Watched | null,
): HandlersOf<
  | "limit.allowed"
  | "limit.refused"
  | "limits.store_lost"
  | "limits.store_back"
  | "limits.bucket_forgotten"
  | "instances.changed"
> {
  const instanceCount = (): number => find()?.instances() ?? 1;
  const { startOwn, ...metrics } = createThrottleMetrics(registry, {
    bucketCount: () => find()?.memoryBuckets.size ?? 0,
    instanceCount,
  });
  startOwn(!isShared);
  return {
    ...metrics,
    "limits.store_lost"(error) {
      metrics["limits.store_lost"](error);
      log.warn({ err: error, instances: instanceCount() }, "Redis is away: limits are counted in memory");
    },
    "limits.store_back"(what) {
      metrics["limits.store_back"](what);
      log.info({}, "Redis is back: limits are counted there again");
    },
    "instances.changed"(count) {
      if (!isShared && count > 1) log.warn({ instances: count }, apart);
      else log.info({ instances: count }, "the number of instances has changed");
    },
  };
}

const apart =
  "several instances run without a shared store for the limits: each counts by itself and allows its share of every limit. Set REDIS_URL or THROTTLE_REDIS_URL";

function onHashing(
  log: Log,
  { watch: _watch, ...metrics }: HashingMetrics,
): Omit<HashingMetrics, "watch"> & HandlersOf<"hash.update_failed"> {
  const unreadable = warnRarely(
    log,
    "stored password hashes cannot be read, so that their users cannot sign in; the doctor counts them",
  );
  return {
    ...metrics,
    "hash.unreadable"(cause) {
      unreadable(cause);
      metrics["hash.unreadable"](cause);
    },
    "hash.update_failed": warn(log, "a password hash could not be brought up to date"),
  };
}
