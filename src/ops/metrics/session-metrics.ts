import { Counter, Gauge, type Registry } from "prom-client";
import type { HandlersOf } from "../../domain/events.ts";

/** What they count. */
export type SessionMetrics = HandlersOf<
  | "session.refreshed"
  | "session.fell_back"
  | "session.reused"
  | "session.replayed_elsewhere"
  | "rotations.waiting"
  | "rotations.save_failed"
  | "rotations.save_refused"
>;

const decisions = ["rotate", "replay", "late", "reuse", "catch_up", "diverged"] as const;
const stores = ["redis", "postgres"] as const;

/** Counts refreshes by their outcome, and measures what waits to be saved from Redis to PostgreSQL. */
export function createSessionMetrics(registry: Registry): SessionMetrics {
  const registers = [registry];
  const refreshes = new Counter({
    name: "countersign_refreshes_total",
    help: "Refreshes with a genuine token of a live session, by outcome and by the store that decided.",
    labelNames: ["decision", "store"] as const,
    registers,
  });
  for (const decision of decisions) for (const store of stores) refreshes.inc({ decision, store }, 0);
  const fallbacks = new Counter({
    name: "countersign_refresh_fallbacks_total",
    help: "Refreshes that PostgreSQL decided because Redis did not answer.",
    registers,
  });
  const reuses = new Counter({
    name: "countersign_refresh_reuses_total",
    help: "Sessions that were ended because a refresh token was used again after its grace.",
    registers,
  });
  const elsewhere = new Counter({
    name: "countersign_refresh_replays_elsewhere_total",
    help: "Replays within the grace that came from another address or program than the rotation.",
    labelNames: ["outcome"] as const,
    registers,
  });
  for (const outcome of ["answered", "refused"]) elsewhere.inc({ outcome }, 0);
  const waiting = new Gauge({
    name: "countersign_write_behind_sessions",
    help: "Sessions whose last rotation is in Redis, but not yet in PostgreSQL.",
    registers,
  });
  const lag = new Gauge({
    name: "countersign_write_behind_lag_seconds",
    help: "How long the oldest of these sessions has waited to be saved to PostgreSQL.",
    aggregator: "max",
    registers,
  });
  const failures = new Counter({
    name: "countersign_write_behind_failures_total",
    help: "Failed attempts to save rotations from Redis to PostgreSQL.",
    registers,
  });
  const refused = new Counter({
    name: "countersign_write_behind_refused_total",
    help: "Sessions whose rotation PostgreSQL refused to save; it keeps its older state. Any value above 0 is a bug to report.",
    registers,
  });
  return {
    "session.refreshed": ({ decision, store }) => refreshes.inc({ decision, store }),
    "session.fell_back": () => fallbacks.inc(),
    "session.reused": () => reuses.inc(),
    "session.replayed_elsewhere": (outcome) => elsewhere.inc({ outcome }),
    "rotations.waiting"({ sessions, lagSeconds }) {
      waiting.set(sessions);
      lag.set(lagSeconds);
    },
    "rotations.save_failed": () => failures.inc(),
    "rotations.save_refused": () => refused.inc(),
  };
}
