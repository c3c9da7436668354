import { notFound, refuseFields } from "../../errors/invalid.ts";
import type { Repeats } from "../repeat/repeats.ts";
import { type ClientChangeOf, createChangeManagedClient, refuseSelf } from "./change-managed-client.ts";
import { checkClient, isClientId } from "./client-content.ts";
import type { ClientDeletion } from "./client-deletion.ts";
import type { ClientDeletions } from "./client-deletions.ts";
import type { ClientPosition, ClientSearch } from "./client-search.ts";
import type { ClientSearchStore, FoundClient } from "./client-search-store.ts";
import { createClientSecret, hashClientSecret } from "./client-secret.ts";
import {
  type ClientWithSecret,
  createManagedClientCreation,
  type CreateManagedClientDeps,
  type ManagedClientCreation,
  resultOf,
} from "./create-managed-client.ts";
import { describeClientChange } from "./describe-client-change.ts";
import type { ClientContent, ManagedClient } from "./managed-client.ts";

export type { ClientChangeOf } from "./change-managed-client.ts";
export type { ClientWithSecret } from "./create-managed-client.ts";

/**
 * What administrators do to clients. Nobody changes a client whose scopes stand for what they do not hold, or gives one
 * such a scope; and a client does not change or delete itself. Each throws AppError: permission_denied, conflict for an
 * old etag, unavailable; and not_found where there is no such client.
 */
export interface ManageClients extends ManagedClientCreation {
  get(id: string): Promise<ManagedClient>;
  /** In the order of the ids. @throws AppError not_found where there is one of them not */
  getMany(ids: readonly string[]): Promise<ManagedClient[]>;
  search(asked: ClientSearch, after: ClientPosition | null, limit: number): Promise<FoundClient[]>;
  /** @throws AppError validation_failed */
  update(of: ClientChangeOf, changes: Partial<ClientContent>): Promise<ManagedClient>;
  /** Gives a confidential client a new secret; the old one ends. @throws AppError not_found for a public one */
  rotateSecret(of: ClientChangeOf): Promise<ClientWithSecret>;
  /**
   * Deletes a client: nobody signs in with it any more, and it gets no tokens. A first batch of its sessions is ended at
   * once, and the others soon, by `finishDeletions`. Of a client that is deleted already, it goes on with that.
   */
  delete(of: ClientChangeOf): Promise<ClientDeletion>;
  /** How far the deletion of a client has come. @throws AppError not_found where there was none of late */
  getDeletion(id: string): Promise<ClientDeletion>;
  /** Ends a further batch of the sessions of a deleted client. @throws AppError not_found */
  proceedWithDeletion(id: string): Promise<ClientDeletion>;
  /** Ends all sessions of deleted clients that are left. */
  finishDeletions(): Promise<void>;
  /** Forgets the deletions that were finished a day ago. */
  forgetDeletions(): Promise<void>;
}

/** What they are made of. */
export interface ManageClientsDeps extends CreateManagedClientDeps {
  readonly searches: ClientSearchStore;
  readonly deletions: ClientDeletions;
  readonly repeats: Repeats;
}

/** Builds them. */
export function createManageClients(deps: ManageClientsDeps): ManageClients {
  const { store, deletions, repeats, audit } = deps;
  const { change, refuseGiven } = createChangeManagedClient(deps);
  const requireClient = <Result>(result: Result | null): Result => {
    if (result === null) throw notFound("client");
    return result;
  };

  return {
    ...createManagedClientCreation(refuseGiven, deps),
    async get(id) {
      const [found] = isClientId(id) ? await store.findByIds([id]) : [];
      return requireClient(found ?? null);
    },
    async getMany(ids) {
      const found = ids.every(isClientId) ? await store.findByIds(ids) : [];
      const byId = new Map(found.map((client) => [client.id, client]));
      return ids.map((id) => requireClient(byId.get(id) ?? null));
    },
    search: (asked, after, limit) => deps.searches.search(asked, after, limit),
    async update(of, changes) {
      const updated = await change(of, async (tx, before) => {
        refuseSelf(of);
        const after = { ...before, ...changes };
        refuseFields(checkClient(after));
        const given = after.scopes.filter((scope) => !before.scopes.includes(scope));
        await refuseGiven(tx, of.changer, given);
        const reason = describeClientChange(before, changes);
        const [client] = await Promise.all([
          store.update(tx, of.id, after),
          audit.record(tx, { type: "client.updated", ...of.changer.by, clientId: of.id, reason }),
        ]);
        return client;
      });
      return requireClient(updated);
    },
    async rotateSecret(of) {
      const secret = createClientSecret();
      const client = await change(of, async (tx, { confidential }) => {
        if (!confidential) return null;
        const [changed] = await Promise.all([
          store.setSecret(tx, of.id, hashClientSecret(secret)),
          audit.record(tx, { type: "client.secret_rotated", ...of.changer.by, clientId: of.id }),
        ]);
        return changed;
      });
      if (client === null) throw notFound("confidential client");
      return { client, secret };
    },
    async delete(of) {
      const isDeleted = await change(of, async (tx) => {
        refuseSelf(of);
        // First: it waits for the logins that hold the row, and none begins a session after it.
        await store.delete(tx, of.id);
        await Promise.all([
          deletions.begin(tx, of.id),
          repeats.forget(tx, resultOf(of.id)),
          audit.record(tx, { type: "client.deleted", ...of.changer.by, clientId: of.id }),
        ]);
        return true;
      });
      if (isDeleted === null) {
        const earlier = await deletions.find(of.id);
        if (earlier === null || earlier.finishedAt !== null) throw notFound("client");
      }
      return deletions.proceed(of.id);
    },
    getDeletion: (id) => deletions.get(id),
    proceedWithDeletion: (id) => deletions.proceed(id),
    finishDeletions: () => deletions.finishAll(),
    forgetDeletions: () => deletions.deleteFinished(),
  };
}
