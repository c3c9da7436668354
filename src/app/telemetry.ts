import type { Registry } from "prom-client";
import type { AuditEventType } from "../domain/audit/audit-event.ts";
import type { HashingObserver } from "../domain/password/queue/admission.ts";
import type { SessionObserver } from "../domain/session/session-observer.ts";
import type { Log } from "../ops/logger.ts";
import { createAuditMetrics } from "../ops/metrics/audit-metrics.ts";
import { createHashingMetrics, type HashingMetrics } from "../ops/metrics/hashing-metrics.ts";
import { createSessionMetrics } from "../ops/metrics/session-metrics.ts";
import { createThrottleMetrics } from "../ops/metrics/throttle-metrics.ts";
import type { Core } from "./core.ts";
import type { CoreObservers } from "./observers.ts";
import { warn, warnRarely } from "./warn.ts";

/** Writes log lines and metrics of what happens. */
export interface Telemetry extends CoreObservers {
  readonly hashing: HashingObserver;
  /** The hashing process has ended by itself. */
  onHashingLost(): void;
  /** Reads depths and counts from the core from now on, whenever the metrics are read. */
  watch(core: Pick<Core, "hashQueue" | "instances" | "memoryBuckets">): void;
}

/** The one subscriber of what happens in the domain. */
export function createTelemetry(log: Log, registry: Registry, sharesLimits: boolean): Telemetry {
  const hashing = createHashingMetrics(registry);
  let core: Parameters<Telemetry["watch"]>[0] | null = null;
  const rolesLeftOut = warnRarely(log, "access tokens were issued without roles: their users have too many");
  return {
    audit: observeAudit(log, registry),
    hashing: observeHashing(log, hashing),
    session: observeSessions(log, createSessionMetrics(registry)),
    throttle: observeThrottle(log, registry, sharesLimits, () => core),
    tokens: {
      onRolesLeftOut: () => rolesLeftOut("roles"),
      onRehashFailed: warn(log, "a password hash could not be brought up to date"),
    },
    onHashingLost: () => hashing.onLost(),
    watch(source) {
      core = source;
      hashing.watch(source.hashQueue);
    },
  };
}

/** One log line for all that a flush has dropped. */
function observeAudit(log: Log, registry: Registry): CoreObservers["audit"] {
  const metrics = createAuditMetrics(registry);
  let [events, cause]: [number, unknown] = [0, undefined];
  const types = new Set<AuditEventType>();
  return {
    ...metrics,
    onDropped(type, count, error) {
      metrics.onDropped(type, count, error);
      events += count;
      cause = error;
      types.add(type);
    },
    onFlushed() {
      if (events === 0) return;
      const message = "the database refuses counted audit events for what they say; they were dropped";
      log.error({ events, types: [...types], err: cause }, message);
      events = 0;
      types.clear();
    },
  };
}

function observeHashing(log: Log, { observer }: HashingMetrics): HashingObserver {
  const unreadable = warnRarely(
    log,
    "stored password hashes cannot be read, so that their users cannot sign in; the doctor counts them",
  );
  return {
    ...observer,
    onUnreadable(cause) {
      unreadable(cause);
      observer.onUnreadable(cause);
    },
  };
}

function observeSessions(log: Log, metrics: SessionObserver): SessionObserver {
  const about = ({ id, userId }: { readonly id: string; readonly userId: string }) => ({
    session_id: id,
    user_id: userId,
  });
  let isSaving = true;
  return {
    ...metrics,
    onReuse(session) {
      log.warn(about(session), "a refresh token was used again after its grace; its session has ended");
      metrics.onReuse(session);
    },
    onCatchUp(session) {
      log.warn(about(session), "a refresh token is newer than the store, which has lost a write");
    },
    onSaveFailed(error) {
      if (isSaving) {
        log.warn({ err: error }, "what Redis knows of sessions could not be brought to PostgreSQL yet");
      }
      isSaving = false;
      metrics.onSaveFailed(error);
    },
    onSaveRefused(error) {
      log.error({ err: error }, "PostgreSQL refuses what Redis knows of a session; it keeps what it knew");
      metrics.onSaveRefused(error);
    },
    onWaiting(sessions, lagSeconds) {
      isSaving ||= sessions === 0;
      metrics.onWaiting(sessions, lagSeconds);
    },
  };
}

function observeThrottle(
  log: Log,
  registry: Registry,
  isShared: boolean,
  find: () => Parameters<Telemetry["watch"]>[0] | null,
): CoreObservers["throttle"] {
  const instanceCount = (): number => find()?.instances.count ?? 1;
  const metrics = createThrottleMetrics(registry, {
    bucketCount: () => find()?.memoryBuckets.size ?? 0,
    instanceCount,
  });
  metrics.onOwnCounting(!isShared);
  return {
    onDecision: (policy, allowed) => metrics.onDecision(policy, allowed),
    onForgotten: () => metrics.onForgotten(),
    onStoreAway(error) {
      metrics.onOwnCounting(true);
      log.warn({ err: error, instances: instanceCount() }, "Redis is away: limits are counted in memory");
    },
    onStoreBack() {
      metrics.onOwnCounting(false);
      log.info({}, "Redis is back: limits are counted there again");
    },
    onInstances(count) {
      if (!isShared && count > 1) log.warn({ instances: count }, apart);
      else log.info({ instances: count }, "the number of instances has changed");
    },
  };
}

const apart =
  "several instances run without a shared store for the limits: each counts by itself and allows its share of every limit. Set REDIS_URL or THROTTLE_REDIS_URL";
