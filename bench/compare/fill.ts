import type { Client } from "pg";
import { userIds } from "../../src/domain/user/user.ts";

/** How many rows a database holds. */
export interface Population {
  readonly users: number;
  readonly sessions: number;
}

const chunk = 50_000;

const insertUsers = `insert into users (id, username, username_folded, password_hash, password_pepper_id)
  select new.id, 'user-' || ($2 + new.n), 'user-' || ($2 + new.n), first.password_hash, first.password_pepper_id
  from unnest($1::text[]) with ordinality as new (id, n), (select * from users limit 1) first`;

/** Each with a handle that nobody knows, of a user by turns, as old as if all had begun within the last week. */
const insertSessions = `insert into sessions (handle_hash, id, user_id, client_id, scopes, secret_key_id, created_at,
    last_used_at, idle_expires_at, expires_at)
  select sha256(('growth-' || n)::bytea), md5('session-' || n), owner.id, one.client_id, one.scopes,
    one.secret_key_id, now() - n % 604800 * interval '1 second', now(), now() + interval '14 days',
    now() + interval '90 days'
  from (select * from sessions limit 1) one,
    (select id, row_number() over () - 1 as place from (select id from users limit $3) chosen) owner
    join generate_series($1::int, $2::int) n on (n - $1) % $3 = owner.place`;

/**
 * Fills a database up to so many users, user-1 and so on, and so many sessions. Ends early where it is out of time.
 *
 * @returns what it holds then
 */
export async function fill(
  client: Client,
  before: Population,
  wanted: Population,
  endAt: number,
): Promise<Population> {
  await client.query("set synchronous_commit = off");
  let { users, sessions } = before;
  while (users < wanted.users && performance.now() < endAt) {
    const ids = Array.from({ length: Math.min(chunk, wanted.users - users) }, () => userIds.create());
    await client.query(insertUsers, [ids, users]);
    users += ids.length;
  }
  while (sessions < wanted.sessions && performance.now() < endAt) {
    const next = Math.min(sessions + chunk, wanted.sessions);
    await client.query(insertSessions, [sessions + 1, next, Math.min(users, chunk)]);
    sessions = next;
  }
  await client.query("vacuum analyze users, sessions");
  await client.query("checkpoint");
  return { users, sessions };
}
