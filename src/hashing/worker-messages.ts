import type { HashWork } from "./hash-work.ts";
import type { Scheduling } from "./step-back.ts";

/** What the process that hashes is asked. */
export interface WorkerRequest {
  readonly id: number;
  readonly work: HashWork;
}

/** What it has found when it is ready. */
export interface WorkerReady {
  readonly kind: "ready";
  readonly scheduling: Scheduling;
}

/** What it answers. */
export type WorkerReply =
  | WorkerReady
  | { readonly kind: "done"; readonly id: number; readonly hash: Uint8Array }
  | { readonly kind: "failed"; readonly id: number; readonly message: string };
