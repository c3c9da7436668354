import { createClientDeletions } from "../domain/client/client-deletions.ts";
import { createClientDeletionStore } from "../domain/client/client-deletion-store.ts";
import { createClientSearchStore } from "../domain/client/client-search-store.ts";
import { createManageClients, type ManageClients } from "../domain/client/manage-clients.ts";
import { createManagedClientStore } from "../domain/client/managed-client-store.ts";
import { createRepeats, type Repeats } from "../domain/repeat/repeats.ts";
import { createRepeatStore } from "../domain/repeat/repeat-store.ts";
import { createRoles, type Roles } from "../domain/role/roles.ts";
import { createRoleScopes, type RoleScopes } from "../domain/role/role-scopes.ts";
import { createRoleStore } from "../domain/role/role-store.ts";
import type { SessionStore } from "../domain/session/session-store.ts";
import { createManagedUserStore } from "../domain/user/managed-user-store.ts";
import { createManageUsers, type ManageUsers, type ManageUsersDeps } from "../domain/user/manage-users.ts";
import { createUserSearchStore } from "../domain/user/user-search-store.ts";
import type { Database } from "../postgres/pool.ts";

/** What administrators work with. */
export interface Administration {
  readonly roles: Roles;
  readonly roleScopes: RoleScopes;
  /** The creations that may be repeated. */
  readonly repeats: Repeats;
  readonly manageUsers: ManageUsers;
  readonly manageClients: ManageClients;
}

/** What it is built on. */
export interface AdministrationParts
  extends Pick<ManageUsersDeps, "users" | "hasher" | "audit" | "importUsers"> {
  readonly db: Database;
  readonly sessions: SessionStore;
  /** Forgets what this instance remembers of a user's sessions. */
  readonly forgetUser: (userId: string) => Promise<void>;
  /** The same of a client. */
  readonly forgetClient: (clientId: string) => Promise<void>;
}

/** Builds it on a database, and on the nouns that it changes. */
export function buildAdministration(parts: AdministrationParts): Administration {
  const { db, audit, sessions } = parts;
  const repeats = createRepeats(createRepeatStore(db));
  const roleStore = createRoleStore(db);
  const roles = createRoles({ db, store: roleStore, repeats, audit });
  const manageUsers = createManageUsers({
    ...parts,
    store: createManagedUserStore(db),
    searches: createUserSearchStore(db),
    roles,
    repeats,
    forget: parts.forgetUser,
  });
  const manageClients = createManageClients({
    db,
    store: createManagedClientStore(db),
    searches: createClientSearchStore(db),
    deletions: createClientDeletions({ db, store: createClientDeletionStore(db), sessions }),
    roles,
    repeats,
    audit,
    forget: parts.forgetClient,
  });
  const roleScopes = createRoleScopes((scope) => roleStore.findByScope(scope));
  return { roles, roleScopes, repeats, manageUsers, manageClients };
}
