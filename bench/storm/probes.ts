/** What must not feel a storm. */
export const probeNames = ["refresh", "GET /auth/me", "JWKS", "readyz"] as const;

/** One of them. */
export type ProbeName = (typeof probeNames)[number];

/** What the prober is asked: so many rounds, with so many calls of each kind a second. */
export interface ProbePlan {
  readonly port: number;
  readonly rounds: number;
  readonly roundSeconds: number;
  readonly callsPerSecond: number;
  readonly username: string;
  readonly password: string;
}

/** What it has found. */
export interface ProbeResult {
  /** The 99th percentile of each round, in milliseconds. */
  readonly p99Ms: Readonly<Record<ProbeName, readonly number[]>>;
  /** The processor time that the prober itself took, in milliseconds. */
  readonly processorMs: number;
  /** Calls that were not answered with 200. */
  readonly failures: readonly string[];
}
