import { AppError } from "../../errors/app-error.ts";
import { refuseFields } from "../../errors/invalid.ts";
import type { Audit } from "../audit/audit.ts";
import type { Repeatable, Repeats } from "../repeat/repeats.ts";
import type { Changer } from "../role/administrator.ts";
import type { ChangeManagedClient, ChangeManagedClientDeps } from "./change-managed-client.ts";
import { checkClient } from "./client-content.ts";
import type { ClientDeletions } from "./client-deletions.ts";
import { createClientSecret, hashClientSecret } from "./client-secret.ts";
import type { ClientDraft, ManagedClient } from "./managed-client.ts";

/** A client whose secret has just been made. The secret is not kept, and cannot be shown again. */
export interface ClientWithSecret {
  readonly client: ManagedClient;
  /** Null for a public client, and where an earlier request has answered it. */
  readonly secret: string | null;
}

/** What the creation of clients is made of. */
export interface CreateManagedClientDeps extends ChangeManagedClientDeps {
  readonly deletions: Pick<ClientDeletions, "isUnderWay">;
  readonly repeats: Pick<Repeats, "once">;
  readonly audit: Pick<Audit, "record">;
}

/** Registers clients, and nothing else. */
export interface ManagedClientCreation {
  /** @throws AppError validation_failed, already_exists, conflict while sessions of an earlier client of this id are left */
  create(draft: ClientDraft, changer: Changer, request: Repeatable): Promise<ClientWithSecret>;
}

/** Builds it. */
export function createManagedClientCreation(
  refuseGiven: ChangeManagedClient["refuseGiven"],
  { db, store, deletions, repeats, audit, forget }: CreateManagedClientDeps,
): ManagedClientCreation {
  return {
    async create(draft, changer, request) {
      refuseFields(checkClient(draft));
      const secret = draft.confidential ? createClientSecret() : null;
      const secretHash = secret === null ? null : hashClientSecret(secret);
      let isNew = false;
      const client = await db.transaction(async (tx) => {
        await refuseGiven(tx, changer, draft.scopes);
        return repeats.once(tx, request, {
          id: resultOf(draft.id),
          async create() {
            const created = await store.insert(tx, draft, secretHash);
            // After the row is there: a deletion that this has waited for is seen.
            if (await deletions.isUnderWay(tx, draft.id)) throw sessionsAreLeft();
            await audit.record(tx, { type: "client.created", ...changer.by, clientId: draft.id });
            isNew = true;
            return created;
          },
          find: async () => (await store.findByIds([draft.id], tx))[0] ?? null,
        });
      });
      await forget(draft.id);
      return { client, secret: isNew ? secret : null };
    },
  };
}

/** What a request has created, told from roles of the same name. */
export function resultOf(clientId: string): string {
  return `clients/${clientId}`;
}

function sessionsAreLeft(): AppError {
  return new AppError("conflict", "The sessions of the client that had this id are still being ended.");
}
