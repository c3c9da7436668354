import { type Database, isUniqueViolation, type Queryable } from "../../postgres/pool.ts";
import type { RecordChange } from "../audit/audit.ts";
import { AppError } from "../../errors/app-error.ts";
import type { PasswordHash } from "../password/password-hash.ts";
import { storedHashForms } from "../password/stored-formats.ts";
import { endSessionsOf } from "../session/end-sessions.ts";
import type { User, UserId, UserStatus } from "./user.ts";
import { type UserRow, userColumns, userFromRow } from "./user-row.ts";

/** What a login needs to know of a user. */
export interface LoginUser {
  readonly user: User;
  readonly passwordHash: PasswordHash;
  /** The counter that ends all sessions; opaque. */
  readonly sessionEpoch: string;
}

/** A user to be written. */
export interface NewUser {
  readonly id: UserId;
  readonly username: string;
  readonly usernameFolded: string;
  readonly email: string | null;
  readonly emailFolded: string | null;
  readonly passwordHash: PasswordHash;
  readonly status: UserStatus;
  readonly roles: readonly string[];
}

interface LoginRow extends UserRow {
  readonly phc: string;
  readonly pepperId: string | null;
  readonly sessionEpoch: string;
}

const loginColumns = `${userColumns("users")}, password_hash as phc, password_pepper_id as "pepperId",
  session_epoch::text as "sessionEpoch"`;
const findByUsername = {
  name: "user.find-by-username",
  text: `select ${loginColumns} from users where username_folded = $1`,
};
const findByEmail = {
  name: "user.find-by-email",
  text: `select ${loginColumns} from users where email_folded = $1`,
};
const insert = {
  name: "user.insert",
  text: `insert into users (id, username, username_folded, email, email_folded, password_hash,
      password_pepper_id, status, roles)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning ${userColumns("users")}`,
};
const lockUsers = { name: "user.lock", text: "lock table users in share row exclusive mode" };
const anyUser = { name: "user.any", text: "select 1 from users limit 1" };
const list = {
  name: "user.list",
  text: `select ${userColumns("users")}, username_folded as folded from users
    where username_folded > $1 order by username_folded limit $2`,
};
const rehash = {
  name: "user.rehash",
  text: `update users set password_hash = $3, password_pepper_id = $4 where id = $1 and password_hash = $2`,
};
const setPassword = {
  name: "user.set-password",
  text: `update users set password_hash = $2, password_pepper_id = $3, session_epoch = session_epoch + 1
    where id = $1 returning ${userColumns("users")}`,
};
const changePassword = {
  name: "user.change-password",
  text: `update users set password_hash = $3, password_pepper_id = $4, session_epoch = session_epoch + 1
    where id = $1 and session_epoch = $2 and status = 'active' returning session_epoch::text as "sessionEpoch"`,
};
const setStatus = {
  name: "user.set-status",
  text: `update users set status = $2, session_epoch = session_epoch + 1
    where id = $1 returning ${userColumns("users")}`,
};
// A restored counter may have been higher before: the time in milliseconds lies past all that it ever was.
const countUpNext = {
  name: "user.count-up-next",
  text: `with counted as (
      update users set session_epoch = greatest(session_epoch + 1, floor(extract(epoch from now()) * 1000)::bigint)
      where id in (select id from users where id > $1 order by id limit $2 for update) returning id
    ) select id from counted order by id`,
};
// Every hash format and cost in use, with how many users have it. A sample serves for large tables.
const hashFormats = {
  name: "user.hash-formats",
  text: `select coalesce(substring(password_hash from '^(\\$2[aby]\\$\\d\\d|.*(?=\\$[^$]*\\$[^$]*$))'), '') as format, count(*)::int as count
    from (select password_hash from users order by id limit 10000) sample group by 1 order by 1`,
};

const countManyRoles = {
  name: "user.count-many-roles",
  text: `select count(*)::int as count from users
    where cardinality(roles) > $1 or octet_length(array_to_string(roles, '')) > $2`,
};
// What earlier versions folded in another way: white space around a name, the ASCII form of a domain.
const findOddlyFolded = {
  name: "user.find-oddly-folded",
  text: `select id, username, email from users
    where email_folded like '%xn--%' or username_folded <> btrim(username_folded) order by id`,
};
const setFolded = {
  name: "user.set-folded",
  text: "update users set username_folded = $2, email_folded = $3 where id = $1",
};
// Its parameter: the forms that can be read.
const hashForms = {
  name: "user.hash-forms",
  text: `select case when password_hash ~ $1 then substring(password_hash from '^(\\$2[aby]\\$\\d\\d|.*(?=\\$[^$]*\\$[^$]*$))')
      end as format, password_pepper_id as "pepperId", count(*)::int as count
    from users group by 1, 2 order by 1, 2`,
};

/** Users whose stored hashes have a form, cost and pepper in common. */
export interface HashFormCount {
  /** Null for hashes of no known form. */
  readonly format: string | null;
  readonly pepperId: string | null;
  readonly count: number;
}

/** The users in Postgres. What changes one takes what writes its event down, in the same transaction. */
export interface UserStore {
  /** @param folded a case-folded name: with an at sign an e-mail address, without one a username */
  findForLogin(folded: string): Promise<LoginUser | null>;
  /** Adds a user. @throws AppError already_exists where the name or the address is taken */
  insert(user: NewUser, record: RecordChange<User>): Promise<User>;
  /** Adds a user if there is none at all; null where there is one. One caller of many wins. */
  insertFirst(user: NewUser, record: RecordChange<User>): Promise<User | null>;
  /** Whether there is any user. */
  isEmpty(): Promise<boolean>;
  /** At most `limit` users in the order of their names, after the given name; and the last one's name. */
  list(after: string, limit: number): Promise<{ readonly users: User[]; readonly last: string }>;
  /** Replaces a hash by one of the same password; nothing happens where the password has changed since. */
  rehash(id: UserId, old: PasswordHash, next: PasswordHash): Promise<void>;
  /** Sets a password and ends every session, at once. */
  setPassword(id: UserId, hash: PasswordHash, record: RecordChange<User>): Promise<User>;
  /** Sets a password while the user's counter is as it was read, and ends every session; answers the new counter. */
  changePassword(
    id: UserId,
    sessionEpoch: string,
    hash: PasswordHash,
    record: RecordChange<void>,
  ): Promise<string | null>;
  /** Sets a status and ends every session, at once. */
  setStatus(id: UserId, status: UserStatus, record: RecordChange<User>): Promise<User>;
  /**
   * Ends the sessions of the next users in the order of their ids, at most `limit`, also where their counters
   * have been put back; answers which users these were.
   */
  endSessionsOfNext(after: string, limit: number): Promise<{ ids: string[]; sessionsEnded: number }>;
  /** Users whose names may be folded as earlier versions did. */
  findOddlyFolded(): Promise<Pick<User, "id" | "username" | "email">[]>;
  /** Sets a user's folded names; false where another user has one of them. */
  setFolded(user: Pick<NewUser, "id" | "usernameFolded" | "emailFolded">): Promise<boolean>;
  /** How many users have more roles, or longer ones, than a user may be given, for the doctor. */
  countManyRoles(max: { readonly count: number; readonly bytes: number }): Promise<number>;
  /** The forms of all stored hashes, for the doctor. */
  countHashForms(): Promise<HashFormCount[]>;
  /** The formats of stored hashes (a PHC string up to its salt; empty for none) with their counts. */
  countHashFormats(): Promise<{ format: string; count: number }[]>;
}

/** @param db the pool */
export function createUserStore(db: Pick<Database, "query" | "transaction">): UserStore {
  const endAllAnd = (
    statement: typeof setPassword,
    id: UserId,
    values: unknown[],
    record: RecordChange<User>,
  ): Promise<User> =>
    db.transaction(async (tx) => {
      const [row] = await tx.query<UserRow>(statement, [id, ...values]);
      if (row === undefined) throw new AppError("not_found", "There is no such user.");
      await endSessionsOf(tx, [id]);
      const user = userFromRow(row);
      await record(user, tx);
      return user;
    });
  return {
    async findForLogin(folded) {
      const [row] = await db.query<LoginRow>(folded.includes("@") ? findByEmail : findByUsername, [folded]);
      if (row === undefined) return null;
      const { phc, pepperId, sessionEpoch } = row;
      return { user: userFromRow(row), passwordHash: { phc, pepperId }, sessionEpoch };
    },
    insert: (user, record) => db.transaction((tx) => insertUser(tx, user, record)),
    insertFirst: (user, record) =>
      db.transaction(async (tx) => {
        await tx.query(lockUsers, []);
        const present = await tx.query(anyUser, []);
        return present.length > 0 ? null : insertUser(tx, user, record);
      }),
    isEmpty: async () => (await db.query(anyUser, [])).length === 0,
    async list(after, limit) {
      const rows = await db.query<UserRow & { readonly folded: string }>(list, [after, limit]);
      return { users: rows.map(userFromRow), last: rows.at(-1)?.folded ?? after };
    },
    async rehash(id, old, next) {
      await db.query(rehash, [id, old.phc, next.phc, next.pepperId]);
    },
    setPassword: (id, hash, record) => endAllAnd(setPassword, id, [hash.phc, hash.pepperId], record),
    changePassword: (id, sessionEpoch, hash, record) =>
      db.transaction(async (tx) => {
        const values = [id, sessionEpoch, hash.phc, hash.pepperId];
        const [row] = await tx.query<{ sessionEpoch: string }>(changePassword, values);
        if (row === undefined) return null;
        await endSessionsOf(tx, [id]);
        await record(undefined, tx);
        return row.sessionEpoch;
      }),
    setStatus: (id, status, record) => endAllAnd(setStatus, id, [status], record),
    endSessionsOfNext: (after, limit) =>
      db.transaction(async (tx) => {
        const rows = await tx.query<{ id: string }>(countUpNext, [after, limit]);
        const ids = rows.map(({ id }) => id);
        return { ids, sessionsEnded: await endSessionsOf(tx, ids) };
      }),
    findOddlyFolded: () => db.query<Pick<User, "id" | "username" | "email">>(findOddlyFolded, []),
    async setFolded({ id, usernameFolded, emailFolded }) {
      try {
        await db.query(setFolded, [id, usernameFolded, emailFolded]);
        return true;
      } catch (error) {
        if (isUniqueViolation(error)) return false;
        throw error;
      }
    },
    async countManyRoles({ count, bytes }) {
      const [row] = await db.query<{ count: number }>(countManyRoles, [count, bytes]);
      return row?.count ?? 0;
    },
    countHashForms: () => db.query<HashFormCount>(hashForms, [storedHashForms]),
    countHashFormats: () => db.query<{ format: string; count: number }>(hashFormats, []),
  };
}

async function insertUser(tx: Queryable, user: NewUser, record: RecordChange<User>): Promise<User> {
  try {
    const [row] = await tx.query<UserRow>(insert, [
      user.id,
      user.username,
      user.usernameFolded,
      user.email,
      user.emailFolded,
      user.passwordHash.phc,
      user.passwordHash.pepperId,
      user.status,
      user.roles,
    ]);
    if (row === undefined) throw new Error("the insert returned no row");
    const inserted = userFromRow(row);
    await record(inserted, tx);
    return inserted;
  } catch (error) {
    if (isUniqueViolation(error, "users_username_folded_key")) {
      throw new AppError("already_exists", "A user with this username exists already.");
    }
    if (isUniqueViolation(error, "users_email_folded_key")) {
      throw new AppError("already_exists", "A user with this e-mail address exists already.");
    }
    throw error;
  }
}
