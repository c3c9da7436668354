import { userIds } from "../../../src/domain/user/user.ts";
import { foldName } from "../../../src/lib/fold.ts";
import type { Sql } from "../sql.ts";

/** A user's row to be, as far as tests choose it. */
export interface NewUserRow {
  readonly username: string;
  readonly email?: string;
  readonly roles?: readonly string[];
  readonly status?: "active" | "pending" | "suspended" | "deactivated";
}

/**
 * Adds a user with the first user's password. It goes past the command line, whose every command is a
 * process: many tests want many users.
 *
 * @returns the id
 */
export async function insertUser(sql: Sql, row: NewUserRow): Promise<string> {
  const { username, email, roles = [], status = "active" } = row;
  const id = userIds.create();
  const { rowCount } = await sql.query(
    `insert into users (id, username, username_folded, email, email_folded, status, roles,
       password_hash, password_pepper_id)
     select $1, $2, $3, $4, $5, $6, $7, password_hash, password_pepper_id from users where username = 'admin'`,
    [
      id,
      username,
      foldName(username),
      email ?? null,
      email === undefined ? null : foldName(email),
      status,
      roles,
    ],
  );
  if (rowCount !== 1) throw new Error("There is no first user whose password could be taken.");
  return id;
}
