import type { Advanced } from "./rotation/line-store.ts";
import type { SessionName } from "./rotation/floor-store.ts";
import type { WriteBehindObserver } from "./rotation/write-behind.ts";

/** Told of refreshes, for logs and metrics. */
export interface SessionObserver extends WriteBehindObserver {
  /** A genuine refresh token of a live session was decided on, by one of the stores. */
  onRefresh(decision: Advanced["decision"], store: "redis" | "postgres"): void;
  /** Redis did not answer, so that Postgres decides. */
  onFallback(): void;
  /** A token was newer than the stores knew: they have lost a write. */
  onCatchUp(session: SessionName): void;
  /** A token was replayed within its grace from elsewhere than it was rotated from. */
  onReplayElsewhere(refused: boolean): void;
}
