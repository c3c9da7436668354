import type { Lane } from "../../domain/password/queue/admission.ts";
import type { BucketCharge, BucketSettlement } from "../../domain/throttle/buckets.ts";
import type { BucketState } from "../../domain/throttle/gcra.ts";
import type { HashWork } from "../../hashing/hash-work.ts";
import type { MetricSnapshot } from "../../ops/metrics/sum.ts";
import type { ConnectionTarget } from "../../postgres/connection-string.ts";
import type { Remembered } from "../commons.ts";

/** An admission between two processes, whose clocks begin at different times. */
export interface SentAdmission {
  readonly key: string;
  readonly lane: Lane;
  /** How long until the caller's deadline; null for none. */
  readonly leftMs: number | null;
}

/** What a worker is and has, as it says every second and at each change. */
export interface WorkerReport {
  readonly ready: boolean;
  /** The names of the checks that keep it from being ready. */
  readonly failing: readonly string[];
  /** Connections of callers. */
  readonly connections: number;
}

/** What a worker needs to serve. */
export interface Orders {
  /** From 1 on: in its log lines. */
  readonly number: number;
  readonly secrets: readonly string[];
  readonly target: ConnectionTarget;
  readonly instances: number;
  /** Whether a person sees what is printed. */
  readonly onTerminal: boolean;
}

/** What a worker asks of its supervisor. */
export type SupervisorCalls = {
  hash: {
    asked: { readonly works: readonly HashWork[]; readonly admission: SentAdmission };
    answer: Uint8Array | Error;
  };
  requireRoom: { asked: SentAdmission; answer: null };
  charge: { asked: readonly BucketCharge[]; answer: BucketState[] };
  settle: { asked: readonly BucketSettlement[]; answer: null };
  /** Lets the other workers forget a user or a client. */
  forget: { asked: Remembered; answer: null };
  /** Answered with how many instances use the database. */
  report: { asked: WorkerReport; answer: number };
};

/** What a supervisor asks of a worker. */
export type WorkerCalls = {
  /** Answered when it takes connections. */
  serve: { asked: Orders; answer: null };
  forget: { asked: Remembered; answer: null };
  readMetrics: { asked: null; answer: MetricSnapshot };
  /** Readiness turns false. */
  announceDrain: { asked: null; answer: null };
  /** Answered when its last connection has closed and all is saved; it then ends. */
  drain: { asked: { readonly timeoutMs: number }; answer: null };
};
