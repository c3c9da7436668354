import { notFound } from "../../errors/invalid.ts";
import type { Database, Queryable } from "../../postgres/pool.ts";
import type { ClientDeletion } from "./client-deletion.ts";
import type { ClientDeletionStore } from "./client-deletion-store.ts";
import { isClientId } from "./client-content.ts";

/** The deletions of clients: each ends the client's sessions, in batches. Each throws AppError unavailable. */
export interface ClientDeletions {
  /** Null where there was none of late. */
  find(clientId: string): Promise<ClientDeletion | null>;
  /** @throws AppError not_found where there was none of late */
  get(clientId: string): Promise<ClientDeletion>;
  /** Begins one, in the transaction that deletes the client. */
  begin(tx: Queryable, clientId: string): Promise<void>;
  /** Whether sessions of a client that had this id may be left. */
  isUnderWay(tx: Queryable, clientId: string): Promise<boolean>;
  /** Ends a batch of the sessions of a deleted client, if any are left; answers how far it has come. */
  proceed(clientId: string): Promise<ClientDeletion>;
  /** Ends what is left of all. */
  finishAll(): Promise<void>;
  /** Forgets those that were finished a day ago. */
  deleteFinished(): Promise<void>;
}

/** What they are made of. */
export interface ClientDeletionsDeps {
  readonly db: Pick<Database, "transaction">;
  readonly store: ClientDeletionStore;
  readonly sessions: {
    /** Ends at most `limit` sessions that a client began; answers how many. */
    endOfClient(tx: Queryable, clientId: string, limit: number): Promise<number>;
  };
}

const batchSize = 1000;

/** Builds them. */
export function createClientDeletions({ db, store, sessions }: ClientDeletionsDeps): ClientDeletions {
  /** Ends one batch; false where nothing is left to end. */
  const endBatch = (clientId: string | null): Promise<boolean> =>
    db.transaction(async (tx) => {
      const deletion = await store.lockUnfinished(tx, clientId);
      if (deletion === null) return false;
      const ended = await sessions.endOfClient(tx, deletion.clientId, batchSize);
      await store.count(tx, deletion.clientId, ended, ended < batchSize);
      return true;
    });
  const find = async (clientId: string): Promise<ClientDeletion | null> =>
    isClientId(clientId) ? store.find(clientId) : null;
  const get = async (clientId: string): Promise<ClientDeletion> => {
    const found = await find(clientId);
    if (found === null) throw notFound("deletion of a client");
    return found;
  };

  return {
    find,
    get,
    begin: (tx, clientId) => store.insert(tx, clientId),
    async isUnderWay(tx, clientId) {
      const found = await store.find(clientId, tx);
      return found !== null && found.finishedAt === null;
    },
    async proceed(clientId) {
      await endBatch(clientId);
      return get(clientId);
    },
    async finishAll() {
      while (await endBatch(null));
    },
    deleteFinished: () => store.deleteFinished(),
  };
}
