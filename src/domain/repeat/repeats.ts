import { AppError } from "../../errors/app-error.ts";
import { hashJson } from "../../lib/hash-json.ts";
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

/** A request that nobody repeats. @internal for the tests */
export const onlyOnce: Repeatable = { callerId: "", rpc: "", requestId: "", content: null };

/** What is created once, however often it is asked for. */
export interface Creation<Created> {
  /** The id of what is created by a new request. */
  readonly id: string;
  readonly create: () => Promise<Created>;
  /** Finds what an earlier request created; null where it is there no more. */
  readonly find: (id: string) => Promise<Created | null>;
}

/** The requests of the last day that may be repeated. */
export interface Repeats {
  /**
   * Creates something, in the transaction, or finds what the same request created before.
   *
   * @throws AppError conflict where another request had this id, or what it created is there no more
   */
  once<Created>(tx: Queryable, request: Repeatable, creation: Creation<Created>): Promise<Created>;
  /** Forgets the requests that created something that is deleted. */
  forget(tx: Queryable, resultId: string): Promise<void>;
  deleteExpired(): Promise<void>;
}

/** Builds them on their store. */
export function createRepeats(store: RepeatStore): Repeats {
  /** The id of what the request has created before; null for a new one. */
  const findEarlier = async (
    tx: Queryable,
    request: Repeatable,
    resultId: string,
  ): Promise<string | null> => {
    const { callerId, rpc, requestId, content } = request;
    if (requestId === "") return null;
    const key = hashJson([callerId, rpc, requestId]);
    const fingerprint = hashJson(content);
    if (await store.insert(tx, key, { fingerprint, resultId })) return null;
    const kept = await store.find(tx, key);
    if (kept?.fingerprint.equals(fingerprint) === true) return kept.resultId;
    throw new AppError("conflict", "The request_id was used for another request.");
  };

  return {
    async once(tx, request, { id, create, find }) {
      const earlier = await findEarlier(tx, request, id);
      if (earlier === null) return create();
      const found = await find(earlier);
      if (found === null) throw new AppError("conflict", "What the request created is there no more.");
      return found;
    },
    forget: (tx, resultId) => store.forget(tx, resultId),
    deleteExpired: () => store.deleteExpired(),
  };
}
