import { randomBytes } from "node:crypto";
import { decodeJwt } from "jose";
import type { Client } from "pg";
import { userIds } from "../../src/domain/user/user.ts";
import type { TestUser } from "./users.ts";

/** What a login or a refresh answers with. */
export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
}

/** A REST answer that may hold tokens. */
export interface TokenAnswer {
  readonly status: number;
  /** Null for a success. */
  readonly reason: string | null;
  /** Null for a failure. */
  readonly tokens: Tokens | null;
}

/** Signs in over REST. Rejects where nothing answers. */
export function signIn(url: string, { username, password }: TestUser): Promise<TokenAnswer> {
  return post(`${url}/auth/login`, { username, password });
}

/** Refreshes over REST. Rejects where nothing answers. */
export function refresh(
  url: string,
  token: string,
  parameters: Readonly<Record<string, string>> = {},
): Promise<TokenAnswer> {
  return post(`${url}/auth/refresh`, { refresh_token: token, ...parameters });
}

/** Signs out with a refresh token over REST; answers the status. */
export async function logOut(url: string, token: string): Promise<number> {
  const body = new URLSearchParams({ refresh_token: token });
  const answer = await fetch(`${url}/auth/logout`, { method: "POST", body });
  await answer.arrayBuffer();
  return answer.status;
}

/** Asks /auth/me; answers the status, and the user where there is one. */
export async function whoAmI(
  url: string,
  accessToken: string,
): Promise<{ readonly status: number; readonly roles: readonly string[] }> {
  const answer = await fetch(`${url}/auth/me`, { headers: { authorization: `Bearer ${accessToken}` } });
  const { roles = [] } = (await answer.json()) as { roles?: string[] };
  return { status: answer.status, roles };
}

/** The tokens of an answer that must be a success. */
export function requireTokens({ status, reason, tokens }: TokenAnswer): Tokens {
  if (tokens === null) throw new Error(`The answer holds no tokens: ${status} ${reason}`);
  return tokens;
}

/** The `sid` of an access token. */
export function sessionIdOf({ access_token }: Pick<Tokens, "access_token">): string {
  return String(decodeJwt(access_token)["sid"]);
}

/** What a refresh token is made of, read without the code that makes it. */
export function readRefreshToken(token: string): { readonly handle: Buffer; readonly generation: bigint } {
  const bytes = Buffer.from(token.slice("csr_".length), "base64url");
  return { handle: bytes.subarray(5, 21), generation: bytes.readBigUInt64BE(21) };
}

/**
 * Adds a user past the service, at no cost: it has the password of the bootstrap user.
 *
 * @param sql a connection to the service's database
 */
export async function addUser(
  sql: Client,
  { password }: TestUser,
): Promise<TestUser & { readonly id: string }> {
  const name = `user${randomBytes(6).toString("hex")}`;
  const { rows } = await sql.query<{ id: string }>(
    `insert into users (id, username, username_folded, password_hash)
      select $1, $2, $2, password_hash from users where username = 'admin' returning id`,
    [userIds.create(), name],
  );
  const [row] = rows;
  if (row === undefined) throw new Error("There is no bootstrap user to take the password of.");
  return { id: row.id, username: name, password };
}

async function post(url: string, parameters: Readonly<Record<string, string>>): Promise<TokenAnswer> {
  const answer = await fetch(url, { method: "POST", body: new URLSearchParams(parameters) });
  const body = (await answer.json()) as Tokens & { reason?: string };
  return answer.status === 200
    ? { status: 200, reason: null, tokens: body }
    : { status: answer.status, reason: String(body.reason), tokens: null };
}
