import { Counter, Gauge, type Registry } from "prom-client";
import type { SessionObserver } from "../../domain/session/session-observer.ts";

const decisions = ["rotate", "replay", "late", "reuse", "catch_up", "diverged"] as const;
const stores = ["redis", "postgres"] as const;

/** Counts refreshes by what they came to, and measures what waits to be brought from Redis to PostgreSQL. */
export function createSessionMetrics(registry: Registry): SessionObserver {
  const registers = [registry];
  const refreshes = new Counter({
    name: "countersign_refreshes_total",
    help: "Genuine refresh tokens of live sessions, by what they meant and the store that decided.",
    labelNames: ["decision", "store"] as const,
    registers,
  });
  for (const decision of decisions) for (const store of stores) refreshes.inc({ decision, store }, 0);
  const fallbacks = new Counter({
    name: "countersign_refresh_fallbacks_total",
    help: "Refreshes that PostgreSQL decided since Redis did not answer.",
    registers,
  });
  const reuses = new Counter({
    name: "countersign_refresh_reuses_total",
    help: "Sessions that ended since a refresh token was used again after its grace.",
    registers,
  });
  const elsewhere = new Counter({
    name: "countersign_refresh_replays_elsewhere_total",
    help: "Replays within the grace from another address or program than the rotation came from.",
    labelNames: ["outcome"] as const,
    registers,
  });
  for (const outcome of ["answered", "refused"]) elsewhere.inc({ outcome }, 0);
  const waiting = new Gauge({
    name: "countersign_write_behind_sessions",
    help: "Sessions whose last rotation Redis knows and PostgreSQL does not yet.",
    registers,
  });
  const lag = new Gauge({
    name: "countersign_write_behind_lag_seconds",
    help: "How long the oldest of them has waited.",
    registers,
  });
  const failures = new Counter({
    name: "countersign_write_behind_failures_total",
    help: "Attempts to bring them to PostgreSQL that failed.",
    registers,
  });
  const refused = new Counter({
    name: "countersign_write_behind_refused_total",
    help: "Sessions of which PostgreSQL refused what Redis knows; it keeps what it knew. Any at all is a fault to report.",
    registers,
  });
  return {
    onRefresh: (decision, store) => refreshes.inc({ decision, store }),
    onFallback: () => fallbacks.inc(),
    onReuse: () => reuses.inc(),
    onCatchUp: () => undefined,
    onReplayElsewhere: (refused) => elsewhere.inc({ outcome: refused ? "refused" : "answered" }),
    onWaiting(sessions, lagSeconds) {
      waiting.set(sessions);
      lag.set(lagSeconds);
    },
    onSaveFailed: () => failures.inc(),
    onSaveRefused: () => refused.inc(),
  };
}
