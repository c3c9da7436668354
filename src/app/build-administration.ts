import { createRepeats, type Repeats } from "../domain/repeat/repeats.ts";
import { createRepeatStore } from "../domain/repeat/repeat-store.ts";
import { createRoles, type Roles } from "../domain/role/roles.ts";
import { createRoleStore } from "../domain/role/role-store.ts";
import { createManagedUserStore } from "../domain/user/managed-user-store.ts";
import { createManageUsers, type ManageUsers, type ManageUsersDeps } from "../domain/user/manage-users.ts";
import { createUserSearchStore } from "../domain/user/user-search-store.ts";
import type { Database } from "../postgres/pool.ts";

/** What administrators work with. */
export interface Administration {
  readonly roles: Roles;
  /** The creations that may be repeated. */
  readonly repeats: Repeats;
  readonly manageUsers: ManageUsers;
}

/** Builds it on a database, and on the nouns that it changes. */
export function buildAdministration(
  deps: Pick<ManageUsersDeps, "users" | "sessions" | "hasher" | "audit" | "forget"> & {
    readonly db: Database;
  },
): Administration {
  const { db, audit } = deps;
  const repeats = createRepeats(createRepeatStore(db));
  const roles = createRoles({ db, store: createRoleStore(db), repeats, audit });
  const store = createManagedUserStore(db);
  const searches = createUserSearchStore(db);
  return { roles, repeats, manageUsers: createManageUsers({ ...deps, store, searches, roles, repeats }) };
}
