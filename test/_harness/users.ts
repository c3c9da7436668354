import { userIds } from "../../src/domain/user/user.ts";
import { foldName } from "../../src/lib/fold.ts";
import type { TestService } from "./service.ts";
import { openSql } from "./sql.ts";

/** A user of a test, who can sign in with this. */
export interface TestUser {
  readonly username: string;
  readonly password: string;
}

/** How a test's user differs from an active one without roles. */
export interface TestUserOptions {
  readonly email?: string;
  readonly roles?: readonly string[];
  readonly status?: "active" | "pending" | "suspended" | "deactivated";
}

/**
 * Creates a user with the first user's password. It goes past the command line, whose every command is
 * a process: many tests want many users.
 */
export async function createUser(
  service: Pick<TestService, "databaseUrl" | "admin">,
  username: string,
  { email, roles = [], status = "active" }: TestUserOptions = {},
): Promise<TestUser> {
  const sql = await openSql(service.databaseUrl);
  try {
    const { rowCount } = await sql.query(
      `insert into users (id, username, username_folded, email, email_folded, status, roles,
         password_hash, password_pepper_id)
       select $1, $2, $3, $4, $5, $6, $7, password_hash, password_pepper_id from users where username = $8`,
      [
        userIds.create(),
        username,
        foldName(username),
        email ?? null,
        email === undefined ? null : foldName(email),
        status,
        roles,
        service.admin.username,
      ],
    );
    if (rowCount !== 1) throw new Error("There is no first user whose password could be taken.");
  } finally {
    await sql.end();
  }
  return { username, password: service.admin.password };
}

/** Signs in over REST. */
export async function logIn(
  service: Pick<TestService, "url">,
  user: TestUser,
  parameters: Readonly<Record<string, string>> = {},
): Promise<{ readonly access_token: string; readonly refresh_token: string; readonly expires_in: number }> {
  const { username, password } = user;
  const answer = await fetch(`${service.url}/auth/login`, {
    method: "POST",
    body: new URLSearchParams({ username, password, ...parameters }),
  });
  if (answer.status !== 200) throw new Error(`The login was answered with ${answer.status}.`);
  return (await answer.json()) as Awaited<ReturnType<typeof logIn>>;
}
