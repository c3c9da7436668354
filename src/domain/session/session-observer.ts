import type { AdvanceDecision } from "./rotation/decide-refresh.ts";
import type { WriteBehindObserver } from "./rotation/write-behind.ts";
import type { SessionRef } from "./session.ts";

/** Told of refreshes, for logs and metrics. */
export interface SessionObserver extends WriteBehindObserver {
  /** A genuine refresh token of a live session was decided on, by one of the stores. */
  onRefresh(decision: AdvanceDecision, store: "redis" | "postgres"): void;
  /** Redis did not answer, so that Postgres decides. */
  onFallback(): void;
  /** A token was newer than the stores knew: they have lost a write. */
  onCatchUp(session: SessionRef): void;
  /** A token was replayed within its grace from elsewhere than it was rotated from. */
  onReplayElsewhere(refused: boolean): void;
}
