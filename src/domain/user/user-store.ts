import { isUniqueViolation, type LookUps, type Queryable } from "../../postgres/pool.ts";
import { foldName } from "../../lib/fold.ts";
import { AppError } from "../../errors/app-error.ts";
import type { PasswordHash } from "../password/password-hash.ts";
import { storedHashForms } from "../password/stored-formats.ts";
import type { User, UserId, UserProfile, UserStatus } from "./user.ts";
import {
  type ProfileRow,
  profileColumns,
  profileFromRow,
  type UserRow,
  userColumns,
  userFromRow,
} from "./user-row.ts";

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
  readonly username: string | null;
  readonly usernameFolded: string | null;
  readonly email: string | null;
  readonly emailFolded: string | null;
  readonly passwordHash: PasswordHash;
  readonly status: UserStatus;
  readonly roles: readonly string[];
  readonly displayName: string | null;
  readonly locale: string | null;
  readonly claims: User["claims"];
  readonly mustChangePassword: boolean;
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
  text: `select username_folded as key, ${loginColumns} from users where username_folded = any($1::text[])`,
};
const findByEmail = {
  name: "user.find-by-email",
  text: `select email_folded as key, ${loginColumns} from users where email_folded = any($1::text[])`,
};
const insert = {
  name: "user.insert",
  text: `insert into users (id, username, username_folded, email, email_folded, password_hash,
      password_pepper_id, status, roles, display_name, locale, claims, must_change_password)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::jsonb, $13) returning ${profileColumns("users")}`,
};
const lockUsers = { name: "user.lock", text: "lock table users in share row exclusive mode" };
const anyUser = { name: "user.any", text: "select 1 from users limit 1" };
const rehash = {
  name: "user.rehash",
  text: `update users set password_hash = $3, password_pepper_id = $4 where id = $1 and password_hash = $2`,
};
const changePassword = {
  name: "user.change-password",
  text: `update users set password_hash = $3, password_pepper_id = $4, must_change_password = false,
      session_epoch = session_epoch + 1
    where id = $1 and session_epoch = $2 and status = 'active' returning session_epoch::text as "sessionEpoch"`,
};
const countUp = {
  name: "session.count-up",
  text: "update users set session_epoch = session_epoch + 1 where id = $1",
};
// A restored counter may have been higher before: the time in milliseconds lies past all that it ever was.
const countUpNext = {
  name: "user.count-up-next",
  text: `with counted as (
      update users set session_epoch = greatest(session_epoch + 1, floor(extract(epoch from now()) * 1000)::bigint)
      where id in (select id from users where id > $1 order by id limit $2 for update) returning id
    ) select id from counted order by id`,
};
// Every hash format and cost in use, with how many users have it. Of large tables a sample serves: always of the same
// pages, which its seed picks, since ids that were brought along are in the order of their origin.
const hashFormats = {
  name: "user.hash-formats",
  text: `select coalesce(substring(password_hash from '^(\\$2[aby]\\$\\d\\d|.*(?=\\$[^$]*\\$[^$]*$))'), '') as format, count(*)::int as count
    from users tablesample system (least(100, 1e7 / greatest((
      select reltuples from pg_class where oid = 'users'::regclass), 1))) repeatable (1) group by 1 order by 1`,
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
    from users where password_hash <> '' group by 1, 2 order by 1, 2`,
};

/** Users whose stored hashes have a form, cost and pepper in common. */
export interface HashFormCount {
  /** Null for hashes of no known form. */
  readonly format: string | null;
  readonly pepperId: string | null;
  readonly count: number;
}

/**
 * The users in Postgres. What belongs to a change takes the transaction of its use case first. What moves a user's
 * counter on locks the user's row, so that the sessions can be ended by the statement after it.
 */
export interface UserStore {
  /** @param folded a case-folded name: with an at sign an e-mail address, without one a username */
  findForLogin(folded: string): Promise<LoginUser | null>;
  /** Adds a user. @throws AppError already_exists where the name or the address is taken */
  insert(tx: Queryable, user: NewUser): Promise<UserProfile>;
  /** Keeps everybody else from adding a user until the transaction ends. */
  lock(tx: Queryable): Promise<void>;
  /** Whether there is any user. */
  isEmpty(tx?: Queryable): Promise<boolean>;
  /** Replaces a hash by one of the same password; nothing happens where the password has changed since. */
  rehash(id: UserId, old: PasswordHash, next: PasswordHash): Promise<void>;
  /**
   * Sets a password and moves the counter on, while that is as it was read; answers the new counter, or null where
   * the account has changed since.
   */
  changePassword(tx: Queryable, id: UserId, sessionEpoch: string, hash: PasswordHash): Promise<string | null>;
  /** Moves a user's counter on. */
  countUp(tx: Queryable, id: string): Promise<void>;
  /**
   * Moves the counters of the next users in the order of their ids, at most `limit`, past all that they were, also
   * where they have been put back; answers which users these were.
   */
  countUpNext(tx: Queryable, after: string, limit: number): Promise<string[]>;
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

/** @param db the pool, for what is asked outside of a transaction */
export function createUserStore(db: Queryable & LookUps): UserStore {
  return {
    async findForLogin(folded) {
      const row = await db.lookUp<LoginRow>(folded.includes("@") ? findByEmail : findByUsername, folded);
      if (row === null) return null;
      const { phc, pepperId, sessionEpoch } = row;
      return { user: userFromRow(row), passwordHash: { phc, pepperId }, sessionEpoch };
    },
    insert: insertUser,
    async lock(tx) {
      await tx.query(lockUsers, []);
    },
    isEmpty: async (tx = db) => (await tx.query(anyUser, [])).length === 0,
    async rehash(id, old, next) {
      await db.query(rehash, [id, old.phc, next.phc, next.pepperId]);
    },
    async changePassword(tx, id, sessionEpoch, hash) {
      const values = [id, sessionEpoch, hash.phc, hash.pepperId];
      const [row] = await tx.query<{ sessionEpoch: string }>(changePassword, values);
      return row?.sessionEpoch ?? null;
    },
    async countUp(tx, id) {
      await tx.query(countUp, [id]);
    },
    async countUpNext(tx, after, limit) {
      const rows = await tx.query<{ id: string }>(countUpNext, [after, limit]);
      return rows.map(({ id }) => id);
    },
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

async function insertUser(tx: Queryable, user: NewUser): Promise<UserProfile> {
  try {
    const [row] = await tx.query<ProfileRow>(insert, [
      user.id,
      user.username,
      user.usernameFolded,
      user.email,
      user.emailFolded,
      user.passwordHash.phc,
      user.passwordHash.pepperId,
      user.status,
      user.roles,
      user.displayName,
      user.locale,
      user.claims === null ? null : JSON.stringify(user.claims),
      user.mustChangePassword,
    ]);
    if (row === undefined) throw new Error("the insert returned no row");
    return profileFromRow(row);
  } catch (error) {
    throw refuseTakenName(error);
  }
}

/** The failure of a write of a user: already_exists for a name or an address that is taken, and what else it was. */
export function refuseTakenName(error: unknown): unknown {
  if (isUniqueViolation(error, "users_username_folded_key")) {
    return new AppError("already_exists", "A user with this username exists already.");
  }
  if (isUniqueViolation(error, "users_email_folded_key")) {
    return new AppError("already_exists", "A user with this e-mail address exists already.");
  }
  return error;
}

/** The forms in which a user's names are found. */
export function foldNames(
  username: string | null,
  email: string | null,
): Pick<NewUser, "usernameFolded" | "emailFolded"> {
  return {
    usernameFolded: username === null ? null : foldName(username),
    emailFolded: email === null ? null : foldName(email),
  };
}
