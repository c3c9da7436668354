import type { Argon2Report } from "./choose-argon2.ts";
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
  readonly argon2: Argon2Report;
  readonly scheduling: Scheduling;
}

/** What it answers. */
export type WorkerReply =
  | WorkerReady
  | { readonly kind: "done"; readonly id: number; readonly hash: Uint8Array }
  | { readonly kind: "failed"; readonly id: number; readonly message: string };
