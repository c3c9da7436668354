import type { ConnectionTarget } from "./connection-string.ts";
import type { PostgresLog } from "./log.ts";
import type { DatabaseObserver } from "./observer.ts";

/** Whether statements are prepared by name; auto means unless there is a pooler in between. */
export type Preparing = "auto" | "on" | "off";

/** What a pool is made with. */
export interface PoolOptions {
  readonly target: ConnectionTarget;
  /**
   * Connections that are in use at once. Default 4, which serves most on two cores; more only make the tail longer.
   * One more checks whether the server answers; up to five more serve kinds of work that would otherwise wait for others.
   */
  readonly max?: number;
  /**
   * How long a caller waits in all: for a connection, and for its statements. The server's limit for one statement
   * as well.
   */
  readonly statementTimeoutMs: number;
  /** How long a host may take to accept a connection; of several hosts each a second at most, unless the address says. */
  readonly connectTimeoutMs: number;
  /** Default auto. */
  readonly prepare?: Preparing;
  readonly log: PostgresLog;
  /** None by default. */
  readonly observer?: DatabaseObserver;
}
