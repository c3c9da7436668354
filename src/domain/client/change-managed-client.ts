import { changedMeanwhile } from "../../errors/invalid.ts";
import type { Database, Queryable } from "../../postgres/pool.ts";
import type { Changer } from "../role/administrator.ts";
import { rolesOfScopes } from "../role/administrative-scope.ts";
import { noPermissions } from "../role/permissions.ts";
import { findRoleRefusal, refuse } from "../role/refusal.ts";
import type { Roles } from "../role/roles.ts";
import { isClientId } from "./client-content.ts";
import type { ManagedClient } from "./managed-client.ts";
import type { ManagedClientStore } from "./managed-client-store.ts";

/** Which client is changed, in which state (empty for any), and by whom. */
export interface ClientChangeOf {
  readonly id: string;
  readonly etag: string;
  readonly changer: Changer;
}

/** What the changes are made of. */
export interface ChangeManagedClientDeps {
  readonly db: Pick<Database, "transaction">;
  readonly store: ManagedClientStore;
  readonly roles: Pick<Roles, "permissionsOf" | "permissionsGiven">;
  /** Forgets what this instance remembers of a client. */
  readonly forget: (clientId: string) => Promise<void>;
}

/** Changes one client in one transaction, if the rules let it. */
export interface ChangeManagedClient {
  /**
   * Makes a change, in the state that is asked for; null where there is no client.
   *
   * @throws AppError conflict, permission_denied for a client with a scope of what the caller lacks, unavailable
   */
  readonly change: <Result>(
    of: ClientChangeOf,
    make: (tx: Queryable, before: ManagedClient) => Promise<Result>,
  ) => Promise<Result | null>;
  /**
   * Refuses scopes that stand for roles that there are not, or that permit what the giver lacks. Until the transaction ends,
   * none of these roles is deleted.
   *
   * @throws AppError validation_failed, permission_denied
   */
  readonly refuseGiven: (tx: Queryable, giver: Changer, scopes: readonly string[]) => Promise<void>;
}

/** Builds it. */
export function createChangeManagedClient(deps: ChangeManagedClientDeps): ChangeManagedClient {
  const { db, store, roles } = deps;
  return {
    async change({ id, etag, changer }, make) {
      try {
        return await db.transaction(async (tx) => {
          const before = isClientId(id) ? await store.lock(tx, id) : null;
          if (before === null) return null;
          if (etag !== "" && etag !== before.etag) throw changedMeanwhile();
          const held = await roles.permissionsOf(rolesOfScopes(before.scopes), tx);
          refuse(findRoleRefusal(changer.standing, held, noPermissions));
          return make(tx, before);
        });
      } finally {
        // Also where nobody knows whether it was made.
        await deps.forget(id);
      }
    },
    async refuseGiven(tx, { standing }, scopes) {
      const given = await roles.permissionsGiven(tx, rolesOfScopes(scopes), "scopes");
      refuse(findRoleRefusal(standing, noPermissions, given));
    },
  };
}

/** A client gives itself nothing, and does not take itself away; its secret it may replace. */
export function refuseSelf({ id, changer: { by } }: ClientChangeOf): void {
  if (by.actor.kind === "client" && by.actor.id === id) refuse("self");
}
