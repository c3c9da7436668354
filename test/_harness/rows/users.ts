import { userIds } from "../../../src/domain/user/user.ts";
import { foldName } from "../../../src/lib/fold.ts";
import type { Sql } from "../sql.ts";
import { changeRow } from "./change.ts";

/** A user's row to be, as far as tests choose it. */
export interface NewUserRow {
  readonly username: string;
  readonly email?: string;
  readonly roles?: readonly string[];
  readonly status?: "active" | "pending" | "suspended" | "deactivated";
  readonly mustChangePassword?: boolean;
}

/**
 * Adds a user with the first user's password. It goes past the command line, whose every command is a
 * process: many tests want many users.
 *
 * @returns the id
 */
export async function insertUser(sql: Sql, row: NewUserRow): Promise<string> {
  const { username, email, roles = [], status = "active", mustChangePassword = false } = row;
  const id = userIds.create();
  const { rowCount } = await sql.query(
    `insert into users (id, username, username_folded, email, email_folded, status, roles,
       must_change_password, password_hash, password_pepper_id)
     select $1, $2, $3, $4, $5, $6, $7, $8, password_hash, password_pepper_id from users where username = 'admin'`,
    [
      id,
      username,
      foldName(username),
      email ?? null,
      email === undefined ? null : foldName(email),
      status,
      roles,
      mustChangePassword,
    ],
  );
  if (rowCount !== 1) throw new Error("There is no first user whose password could be taken.");
  return id;
}

/** How a user is named: a session's `userId` is an id, a test's own user has a name. */
export type UserName = { readonly id: string } | { readonly username: string };

/** The columns that tests set. */
export interface UserColumns {
  readonly status?: string;
  readonly roles?: readonly string[];
  readonly username?: string;
  readonly username_folded?: string;
  readonly email?: string;
  readonly email_folded?: string;
  readonly id?: string;
  readonly claims?: string;
  readonly password_hash?: string;
  readonly password_pepper_id?: string | null;
  /** Earlier versions wrote it at each login. */
  readonly last_login_at?: Date;
}

/** Changes a user past the service, which is told nothing. */
export function changeUser(sql: Sql, user: UserName, columns: UserColumns): Promise<void> {
  const by = "id" in user ? (["id", user.id] as const) : (["username", user.username] as const);
  return changeRow(sql, "users", by, { ...columns });
}

/** What tests read of a user. */
export interface UserRow {
  readonly id: string;
  readonly passwordHash: string;
  readonly sessionEpoch: bigint;
}

/** Reads a user. */
export async function readUser(sql: Sql, username: string): Promise<UserRow> {
  const { rows } = await sql.query<{ id: string; hash: string; epoch: string }>(
    "select id, password_hash as hash, session_epoch::text as epoch from users where username = $1",
    [username],
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`There is no user ${username}.`);
  return { id: row.id, passwordHash: row.hash, sessionEpoch: BigInt(row.epoch) };
}

/** How many users there are. */
export async function countUsers(sql: Sql): Promise<number> {
  const { rows } = await sql.query<{ count: number }>("select count(*)::int as count from users");
  return rows[0]?.count ?? -1;
}

/** Ends all sessions of a user, as a change of the password does to logins that are under way. */
export async function moveEpoch(sql: Sql, username: string): Promise<void> {
  await sql.query("update users set session_epoch = session_epoch + 1 where username = $1", [username]);
}

/** Holds a user's row until the transaction ends. */
export async function lockUser(sql: Sql, id: string): Promise<void> {
  await sql.query("select 1 from users where id = $1 for update", [id]);
}

/** Adds users with one password hash, at whatever length: nobody can sign in by those that no hasher made. */
export async function insertUsersWithHash(sql: Sql, names: readonly string[], hash: string): Promise<void> {
  await sql.query(
    `insert into users (id, username, username_folded, password_hash)
     select id, name, name, $3 from unnest($1::text[], $2::text[]) as new (id, name)`,
    [names.map(() => userIds.create()), names, hash],
  );
}

/** Deletes users and their sessions. @param like a pattern of `like` for their names */
export async function deleteUsers(sql: Sql, like: string): Promise<void> {
  await sql.query("delete from users where username like $1", [like]);
}
