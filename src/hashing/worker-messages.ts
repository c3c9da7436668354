import type { HashWork } from "./hash-work.ts";
import type { Scheduling } from "./step-back.ts";

/** A request to the hashing process. */
export interface WorkerRequest {
  readonly id: number;
  readonly work: HashWork;
}

/** Its first message, when it is ready. */
export interface WorkerReady {
  readonly kind: "ready";
  /** The name of the implementation of Argon2id. */
  readonly implementation: string;
  readonly scheduling: Scheduling;
}

/** Its answer to a request. */
export type WorkerReply =
  | WorkerReady
  | { readonly kind: "done"; readonly id: number; readonly hash: Uint8Array }
  | { readonly kind: "failed"; readonly id: number; readonly message: string };
