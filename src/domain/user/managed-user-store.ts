import type { Queryable } from "../../postgres/pool.ts";
import { adminRole } from "../role/builtin-roles.ts";
import type { PasswordHash } from "../password/password-hash.ts";
import { type ManagedUser, toManagedUser } from "./managed-user.ts";
import type { UserContent } from "./user-content.ts";
import type { UserStatus } from "./user.ts";
import { type ProfileRow, profileColumns, profileFromRow } from "./user-row.ts";
import { foldNames, refuseTakenName } from "./user-store.ts";

interface ManagedRow extends ProfileRow {
  readonly hasPassword: boolean;
  readonly sessionEpoch: string;
}

/** The columns of a `ManagedRow`. */
export const managedColumns = `${profileColumns("users")}, password_hash <> '' as "hasPassword",
  session_epoch::text as "sessionEpoch"`;

const findByIds = {
  name: "user.managed-by-ids",
  text: `select ${managedColumns} from users where id = any ($1)`,
};
const findByUsername = {
  name: "user.managed-by-username",
  text: `select ${managedColumns} from users where username_folded = $1`,
};
const findByEmail = {
  name: "user.managed-by-email",
  text: `select ${managedColumns} from users where email_folded = $1`,
};
const lock = { name: "user.lock-one", text: `select ${managedColumns} from users where id = $1 for update` };
const update = {
  name: "user.update",
  text: `update users set username = $2, username_folded = $3, email = $4, email_folded = $5, display_name = $6,
      locale = $7, roles = $8, claims = $9::jsonb
    where id = $1 returning ${managedColumns}`,
};
const setPassword = {
  name: "user.set-password-of",
  text: `update users set password_hash = $2, password_pepper_id = $3, must_change_password = $4,
      session_epoch = session_epoch + 1
    where id = $1 returning ${managedColumns}`,
};
const setStatus = {
  name: "user.set-status-of",
  text: `update users set status = $2, session_epoch = session_epoch + 1 where id = $1 returning ${managedColumns}`,
};
const requireChange = {
  name: "user.require-password-change",
  text: `update users set must_change_password = true where id = $1 returning ${managedColumns}`,
};
const remove = { name: "user.delete", text: "delete from users where id = $1" };
const standing = {
  name: "user.standing",
  text: "select roles from users where id = $1 and status = 'active'",
};
// Any number, the same in every version of this service.
const lockAdmins = { name: "user.lock-admins", text: "select pg_advisory_xact_lock(1668507503)" };
const otherAdmin = {
  name: "user.other-admin",
  text: `select 1 from users where roles @> array[$2::text] and status = 'active' and password_hash <> '' and id <> $1
    limit 1`,
};

/** The users in Postgres, for those who administer them. What belongs to a change takes its transaction first. */
export interface ManagedUserStore {
  /** Those of these ids that there are, in any order. */
  findByIds(ids: readonly string[], tx?: Queryable): Promise<ManagedUser[]>;
  findByUsername(folded: string): Promise<ManagedUser | null>;
  findByEmail(folded: string): Promise<ManagedUser | null>;
  /** A user, whom nobody else changes until the transaction ends. */
  lock(tx: Queryable, id: string): Promise<ManagedUser | null>;
  /** @throws AppError already_exists where the name or the address is taken */
  update(tx: Queryable, id: string, content: UserContent): Promise<ManagedUser>;
  /** Sets a password and moves the counter on. */
  setPassword(tx: Queryable, id: string, hash: PasswordHash, mustChange: boolean): Promise<ManagedUser>;
  /** Sets a status and moves the counter on. */
  setStatus(tx: Queryable, id: string, status: UserStatus): Promise<ManagedUser>;
  requirePasswordChange(tx: Queryable, id: string): Promise<ManagedUser>;
  /** Deletes a user, and the user's sessions with it. */
  delete(tx: Queryable, id: string): Promise<void>;
  /** The roles of an active user now; null where there is none. */
  rolesOf(tx: Queryable, id: string): Promise<readonly string[] | null>;
  /** Keeps everybody else from ending an admin until the transaction ends. */
  lockAdmins(tx: Queryable): Promise<void>;
  /** Whether anybody else is an admin who can sign in. */
  hasOtherAdmin(tx: Queryable, id: string): Promise<boolean>;
}

/** @param db the pool, for what is asked outside of a transaction */
export function createManagedUserStore(db: Queryable): ManagedUserStore {
  const changed = async (rows: Promise<ManagedRow[]>): Promise<ManagedUser> => {
    const [row] = await rows;
    if (row === undefined) throw new Error("the user was locked, and is not there");
    return managedFromRow(row);
  };
  const one = ([row]: ManagedRow[]): ManagedUser | null => (row === undefined ? null : managedFromRow(row));
  return {
    findByIds: async (ids, tx = db) => (await tx.query<ManagedRow>(findByIds, [ids])).map(managedFromRow),
    findByUsername: async (folded) => one(await db.query<ManagedRow>(findByUsername, [folded])),
    findByEmail: async (folded) => one(await db.query<ManagedRow>(findByEmail, [folded])),
    lock: async (tx, id) => one(await tx.query<ManagedRow>(lock, [id])),
    async update(tx, id, content) {
      const { username, email, displayName, locale, roles, claims } = content;
      const { usernameFolded, emailFolded } = foldNames(username, email);
      const json = claims === null ? null : JSON.stringify(claims);
      const values = [id, username, usernameFolded, email, emailFolded, displayName, locale, roles, json];
      try {
        return await changed(tx.query<ManagedRow>(update, values));
      } catch (error) {
        throw refuseTakenName(error);
      }
    },
    setPassword: (tx, id, { phc, pepperId }, mustChange) =>
      changed(tx.query<ManagedRow>(setPassword, [id, phc, pepperId, mustChange])),
    setStatus: (tx, id, status) => changed(tx.query<ManagedRow>(setStatus, [id, status])),
    requirePasswordChange: (tx, id) => changed(tx.query<ManagedRow>(requireChange, [id])),
    async delete(tx, id) {
      await tx.query(remove, [id]);
    },
    rolesOf: async (tx, id) => (await tx.query<{ roles: string[] }>(standing, [id]))[0]?.roles ?? null,
    async lockAdmins(tx) {
      await tx.query(lockAdmins, []);
    },
    hasOtherAdmin: async (tx, id) => (await tx.query(otherAdmin, [id, adminRole])).length > 0,
  };
}

/** A user as `managedColumns` selects it. */
export function managedFromRow(row: ManagedRow): ManagedUser {
  return toManagedUser(profileFromRow(row), row.hasPassword, row.sessionEpoch);
}
