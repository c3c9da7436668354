import type { Config } from "../config/config.ts";
import type { Health } from "../ops/health.ts";
import type { Log } from "../ops/logger.ts";
import type { Metrics } from "../ops/metrics/metrics.ts";
import type { ConnectionTarget } from "../postgres/connection-string.ts";
import type { KeptCommons, Remembered } from "./commons.ts";
import type { Ending } from "./ending.ts";
import type { Ground } from "./ground.ts";
import type { HealthChecks } from "./health-checks.ts";

/** What serves the public port: this process (serve-here.ts), or workers (workers/serve-by-workers.ts). */
export interface Front {
  /** @throws where the port cannot be had, or a worker does not start */
  open(parts: FrontParts): Promise<Door>;
  /** Lets the other processes of this instance forget a user or a client; resolves when they have. */
  forget(what: Remembered): Promise<void>;
  /** Ends at once what still runs of it. */
  stop(): Promise<void>;
}

/** What it is opened with. */
export interface FrontParts {
  readonly config: Config;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly checks: Pick<HealthChecks, "onWorkers">;
  readonly commons: KeptCommons;
  readonly ground: Ground;
  readonly secrets: readonly string[];
  readonly target: ConnectionTarget;
  /** Whether a person sees what is printed. */
  readonly onTerminal: boolean;
  readonly ending: Ending;
}

/** The open port. */
export interface Door {
  readonly port: number;
  /** Takes no more connections, and ends those there are as soon as their requests are answered. */
  drain(timeoutMs: number): Promise<void>;
  /** Settles with an error when nobody serves, and nobody can be started that would. */
  readonly failed: Promise<Error>;
}
