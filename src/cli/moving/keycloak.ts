import { isBuiltinRole } from "../../domain/role/builtin-roles.ts";
import type { ImportLine } from "../../domain/user/moving/import-users.ts";
import type { UserRecord } from "../../domain/user/moving/user-record.ts";
import { readJsonItems } from "./json-items.ts";
import { readKeycloakHash } from "./keycloak-hash.ts";
import {
  emptyRecord,
  type JsonObject,
  objectOf,
  readRecords,
  RowError,
  textOf,
  textsOf,
  timeOf,
} from "./row-error.ts";

/** What Keycloak gives everybody. */
const ownRoles = /^(default-roles-.*|offline_access|uma_authorization)$/;

/**
 * Reads the users of a realm's export (`kc.sh export`), of one file with the realm or of a file of users alone.
 *
 * @param keptRoles roles that mean something here, and are taken over all the same
 */
export function readKeycloak(
  text: AsyncIterable<string>,
  { keptRoles }: { readonly keptRoles: readonly string[] },
): AsyncIterable<ImportLine> {
  // Whoever has a role there that is built in here does not get it by its name alone.
  const isTaken = (role: string): boolean =>
    !ownRoles.test(role) && (!isBuiltinRole(role) || keptRoles.includes(role));
  return readRecords(readJsonItems(text, "users"), (user) => readUser(user, isTaken));
}

function readUser(user: JsonObject, isTaken: (role: string) => boolean): UserRecord {
  if (textOf(user, "serviceAccountClientId") !== null) {
    throw new RowError(
      "serviceAccountClientId",
      "not_allowed",
      "says that it is a client's account, not a user's",
    );
  }
  const names = [textOf(user, "firstName"), textOf(user, "lastName")].filter((name) => name !== null);
  return {
    ...emptyRecord,
    id: textOf(user, "id"),
    username: textOf(user, "username"),
    email: textOf(user, "email"),
    displayName: names.join(" ") || null,
    locale: textsOf(objectOf(user, "attributes") ?? {}, "locale")[0] ?? null,
    status: user["enabled"] === false ? "suspended" : "active",
    roles: textsOf(user, "realmRoles").filter(isTaken),
    createdAt: timeOf(user, "createdTimestamp"),
    passwordHash: readKeycloakHash(user),
  };
}
