import { randomBytes } from "node:crypto";
import { decodeJwt } from "jose";
import { requireTokens, type Tokens } from "./answer.ts";
import { api, type Fields } from "./api.ts";
import { ageSession } from "./rows/sessions.ts";
import { insertUser, type NewUserRow } from "./rows/users.ts";
import { firstUser } from "./service.ts";
import { type Sql, withSql } from "./sql.ts";

/** A user of a test, who can sign in with this. */
export interface TestUser {
  readonly username: string;
  readonly password: string;
}

/** What a user signs in with, as fields of a request. */
export function credentialsOf({ username, password }: TestUser): TestUser & Record<string, string> {
  return { username, password };
}

/** A connection to a service's database, or the service, to whose database one is opened. */
export type Database = Sql | { readonly databaseUrl: string };

/**
 * A user who can sign in: an active one with a name of its own and no roles, unless told otherwise. Its
 * password is the first user's.
 */
export async function user(
  database: Database,
  { username = `user${randomBytes(6).toString("hex")}`, ...more }: Partial<NewUserRow> = {},
): Promise<TestUser & { readonly id: string }> {
  const id = await onDatabase(database, (sql) => insertUser(sql, { username, ...more }));
  return { id, username, password: firstUser.password };
}

/** How a session differs from a new one of a new user. */
export interface SessionOptions {
  /** Who signs in. */
  readonly user?: TestUser;
  /** Fields of the login beside username and password. */
  readonly fields?: Fields;
  /** How long ago it began. Seconds. */
  readonly agedBy?: number;
  /** A connection to the service's database; otherwise one is opened where it is needed. */
  readonly sql?: Sql;
}

/** A session, and what its login was answered with. */
export interface TestSession extends Tokens {
  /** Its public id. */
  readonly sid: string;
  readonly userId: string;
}

/** A session that a login over REST has begun. */
export async function session(
  service: { readonly url: string; readonly databaseUrl: string },
  { user: owner, fields, agedBy, sql }: SessionOptions = {},
): Promise<TestSession> {
  const database = sql ?? service;
  const tokens = requireTokens(await api(service).rest.login(owner ?? (await user(database)), fields));
  const { sid, sub } = decodeJwt<{ readonly sid: string }>(tokens.access_token);
  if (agedBy !== undefined) await onDatabase(database, (open) => ageSession(open, sid, agedBy));
  return { ...tokens, sid, userId: sub ?? "" };
}

function onDatabase<T>(database: Database, run: (sql: Sql) => Promise<T>): Promise<T> {
  return "query" in database ? run(database) : withSql(database.databaseUrl, run);
}
