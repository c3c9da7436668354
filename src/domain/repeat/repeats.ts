import { createHash } from "node:crypto";
import { AppError } from "../../errors/app-error.ts";
import type { Queryable } from "../../postgres/pool.ts";
import type { RepeatStore } from "./repeat-store.ts";

/** A request that creates something, and may be repeated with the same id. */
export interface Repeatable {
  /** Whose request it is: ids of different callers never meet. */
  readonly callerId: string;
  /** What is asked for: the RPC's name. */
  readonly rpc: string;
  /** The caller's id of it; empty for a request that is not to be repeated. */
  readonly requestId: string;
  /** What it asks for, without secrets; what JSON can hold. */
  readonly content: unknown;
}

/** The requests of the last day that may be repeated. */
export interface Repeats {
  /**
   * To be called in the transaction that creates, before it does.
   *
   * @param resultId what will be created
   * @returns null for a new request; for one that was made before, the id of what it has created
   * @throws AppError conflict where another request had this id
   */
  begin(tx: Queryable, request: Repeatable, resultId: string): Promise<string | null>;
  /** Forgets the requests that created something that is deleted. */
  forget(tx: Queryable, resultId: string): Promise<void>;
  deleteExpired(): Promise<void>;
}

/** Builds them on their store. */
export function createRepeats(store: RepeatStore): Repeats {
  return {
    async begin(tx, { callerId, rpc, requestId, content }, resultId) {
      if (requestId === "") return null;
      const key = hash([callerId, rpc, requestId]);
      const fingerprint = hash(content);
      if (await store.insert(tx, key, { fingerprint, resultId })) return null;
      const kept = await store.find(tx, key);
      if (kept?.fingerprint.equals(fingerprint) === true) return kept.resultId;
      throw new AppError("conflict", "The request_id was used for another request.");
    },
    forget: (tx, resultId) => store.forget(tx, resultId),
    deleteExpired: () => store.deleteExpired(),
  };
}

function hash(value: unknown): Buffer {
  return createHash("sha256").update(JSON.stringify(value)).digest();
}
