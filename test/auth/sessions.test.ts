import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { createSessionStore } from "../../src/domain/session/session-store.ts";
import { parseDatabaseUrl } from "../../src/postgres/connection-string.ts";
import { createPool } from "../../src/postgres/pool.ts";
import { requireTokens, type Tokens } from "../_harness/answer.ts";
import { api, type Api, type WayName, wayNames } from "../_harness/api.ts";
import { eventually } from "../_harness/eventually.ts";
import * as given from "../_harness/given.ts";
import { bearerOf } from "../_harness/rest.ts";
import { holdUser, untilWaiting } from "../_harness/rows/locks.ts";
import {
  deleteSessions,
  expireForGood,
  expireIdle,
  forgetOrigin,
  insertDeadSessions,
  insertSessions,
} from "../_harness/rows/sessions.ts";
import { changeUser } from "../_harness/rows/users.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

let service: TestService;
let calls: Api;
let sql: Client;
beforeAll(async () => {
  service = await startService({ env: { MAX_SESSIONS_PER_USER: "3" } });
  calls = api(service);
  sql = await openSql(service.databaseUrl);
});
afterAll(async () => {
  calls.close();
  await sql.end();
  await service.stop();
});

type Begun = given.TestSession;

const begin = (user: given.TestUser): Promise<Begun> => given.session(service, { user });

/** So many sessions of one new user, the oldest first. */
async function beginAll(count: number): Promise<Begun[]> {
  const user = await given.user(sql);
  const sessions: Begun[] = [];
  for (let index = 0; index < count; index += 1) sessions.push(await begin(user));
  return sessions;
}

async function expectDead(tokens: Tokens): Promise<void> {
  expect(await api(service).rest.me(tokens.access_token)).toMatchObject({ status: 401 });
  expect(await api(service).rest.refresh(tokens.refresh_token)).toMatchObject({
    reason: "invalid_refresh_token",
  });
}

async function expectAlive(tokens: Tokens): Promise<void> {
  expect(await api(service).rest.me(tokens.access_token)).toMatchObject({ status: 200 });
  requireTokens(await api(service).rest.refresh(tokens.refresh_token));
}

function at<T>(list: readonly T[], index: number): T {
  const found = list.at(index);
  if (found === undefined) throw new Error(`The list has no item ${index}.`);
  return found;
}

async function list(name: WayName, bearer: string): Promise<Record<string, unknown>[]> {
  const { reason, message } = await calls.ways[name].call({ rpc: "ListSessions", bearer });
  expect(reason).toBeNull();
  return message["sessions"] as Record<string, unknown>[];
}

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);

// Comes before all that reads sessions: an idle backend may tell its counts ten seconds late.
describe("a login among many sessions", () => {
  test("reads its user's sessions and no others, however many there are and whatever the plan", async () => {
    const readCounts = async () => {
      const { rows } = await sql.query<{ begun: number; read: number }>(
        `select n_tup_ins::int as begun, (seq_tup_read + coalesce(idx_tup_fetch, 0))::int as read
          from pg_stat_user_tables where relname = 'sessions'`,
      );
      return rows[0] ?? { begun: 0, read: 0 };
    };
    const crowd = await given.user(sql);
    const user = await given.user(sql);
    const others = 3_000;
    // Plans are made for a table of this size, which nobody has analysed yet.
    for (let index = 0; index < 6; index += 1) await begin(user);
    await insertSessions(sql, crowd.id, others);
    await eventually(async () => (await readCounts()).begun >= others);
    const before = await readCounts();
    const logins = 20;
    for (let index = 0; index < logins; index += 1) await begin(user);
    // A backend tells its counts within seconds, all of them at once.
    await eventually(async () => (await readCounts()).begun >= before.begun + logins);
    const { read } = await readCounts();
    expect((read - before.read) / logins).toBeLessThan(20);
  });
});

describe.each(wayNames)("sessions by %s", (name) => {
  const call = (rpc: "RevokeSession" | "RevokeAllSessions", bearer: string, sessionId?: string) =>
    calls.ways[name].call({
      rpc,
      bearer,
      ...(sessionId === undefined ? {} : { input: { session_id: sessionId } }),
    });

  test("are listed, the newest first, with the one that asks marked", async () => {
    const [first, second] = (await beginAll(2)) as [Begun, Begun];
    const listed = await list(name, first.access_token);
    expect(listed.map(({ id, current = false }) => ({ id, current }))).toEqual([
      { id: second.sid, current: false },
      { id: first.sid, current: true },
    ]);
    expect(listed[0]).toMatchObject({
      client_id: "countersign",
      created_at: time,
      last_used_at: time,
      idle_expires_at: time,
      expires_at: time,
      client_address: "127.0.0.1",
      user_agent: "node",
    });
  });

  test("that are over are not listed", async () => {
    const sessions = await beginAll(3);
    await expireIdle(sql, at(sessions, 0).sid);
    await expireForGood(sql, at(sessions, 1).sid);
    const last = at(sessions, 2);
    expect((await list(name, last.access_token)).map(({ id }) => id)).toEqual([last.sid]);
  });

  test("one of them can be ended, at once and alone", async () => {
    const [first, second] = (await beginAll(2)) as [Begun, Begun];
    expect(await call("RevokeSession", second.access_token, first.sid)).toMatchObject({ reason: null });
    await expectDead(first);
    await expectAlive(second);
  });

  test("the one that asks can be ended", async () => {
    const [only] = (await beginAll(1)) as [Begun];
    expect(await call("RevokeSession", only.access_token, only.sid)).toMatchObject({ reason: null });
    await expectDead(only);
  });

  test("somebody else's, an ended and an unknown one are not found, and live on", async () => {
    const [[mine, ended], [other]] = (await Promise.all([beginAll(2), beginAll(1)])) as [
      [Begun, Begun],
      [Begun],
    ];
    await call("RevokeSession", mine.access_token, ended.sid);
    for (const id of [other.sid, ended.sid, `ses_${"0".repeat(26)}`, "x", "\u0000"]) {
      expect(await call("RevokeSession", mine.access_token, id)).toMatchObject({ reason: "not_found" });
    }
    await expectAlive(other);
  });

  test("all of them can be ended, at once, and no one else's", async () => {
    const [mine, [other]] = (await Promise.all([beginAll(3), beginAll(1)])) as [Begun[], [Begun]];
    expect(await call("RevokeAllSessions", at(mine, 1).access_token)).toMatchObject({ reason: null });
    for (const tokens of mine) await expectDead(tokens);
    await expectAlive(other);
  });

  test.each(["ListSessions", "RevokeSession", "RevokeAllSessions"] as const)(
    "%s needs an access token",
    async (rpc) => {
      const input: Record<string, string> = rpc === "RevokeSession" ? { session_id: "x" } : {};
      expect(await calls.ways[name].call({ rpc, input })).toMatchObject({ reason: "missing_token" });
      expect(await calls.ways[name].call({ rpc, input, bearer: "x" })).toMatchObject({
        reason: "invalid_token",
      });
    },
  );
});

describe("DELETE of a session whose id is empty", () => {
  test.each(["/auth/sessions/", "/auth/sessions//", "/auth/sessions/?", "//auth/sessions"])(
    "is 404 at %s and ends none",
    async (path) => {
      const [one, other] = (await beginAll(2)) as [Begun, Begun];
      const answer = await fetch(service.url + path, {
        method: "DELETE",
        headers: bearerOf(one.access_token),
      });
      expect(answer.status).toBe(404);
      for (const tokens of [one, other]) await expectAlive(tokens);
    },
  );

  test("is no way to read: GET keeps its trailing slash", async () => {
    const [only] = (await beginAll(1)) as [Begun];
    const headers = bearerOf(only.access_token);
    expect((await fetch(`${service.url}/auth/sessions/`, { headers })).status).toBe(200);
  });
});

describe("GET /auth/sessions", () => {
  test("says null for an address and a program that are not known", async () => {
    const [only] = (await beginAll(1)) as [Begun];
    await forgetOrigin(sql, only.sid);
    const [session] = await list("REST with JSON", only.access_token);
    expect(session).toMatchObject({ client_address: null, user_agent: null });
  });

  test("is told to no cache", async () => {
    const [only] = (await beginAll(1)) as [Begun];
    const headers = bearerOf(only.access_token);
    const answer = await fetch(`${service.url}/auth/sessions`, { headers });
    expect(answer.headers.get("cache-control")).toBe("private, no-store");
  });
});

describe("MAX_SESSIONS_PER_USER", () => {
  test("ends the oldest session with one login too many", async () => {
    const [first, ...rest] = (await beginAll(4)) as [Begun, ...Begun[]];
    await expectDead(first);
    for (const tokens of rest) await expectAlive(tokens);
  });

  test("counts logins that wait for one another", async () => {
    const user = await given.user(sql);
    const [first, second] = [await begin(user), await begin(user)];
    const release = await holdUser(service.databaseUrl, user.id);
    const overlapping = [begin(user), begin(user)];
    await untilWaiting(service.databaseUrl, overlapping.length);
    await release();
    const begun = await Promise.all(overlapping);
    await expectDead(first);
    for (const tokens of [second, ...begun]) await expectAlive(tokens);
  });

  test("counts live sessions alone", async () => {
    const user = await given.user(sql);
    const oldest = await begin(user);
    for (const expire of [expireIdle, expireForGood]) await expire(sql, (await begin(user)).sid);
    await begin(user);
    await begin(user);
    await expectAlive(oldest);
  });
});

describe("the command line", () => {
  test.each([
    ["a new password", ["user", "set-password"]],
    ["a suspension", ["user", "suspend"]],
  ])("ends a user's sessions at once with %s", async (_what, command) => {
    const user = await given.user(sql);
    const tokens = await begin(user);
    const { code, stderr } = await service.command([...command, user.username], "another good password");
    expect({ code, stderr }).toMatchObject({ code: 0 });
    await expectDead(tokens);
  });

  test("does not bring sessions back with a user who is active again", async () => {
    const user = await given.user(sql);
    const tokens = await begin(user);
    await service.command(["user", "suspend", user.username]);
    await changeUser(sql, user, { status: "active" });
    await expectDead(tokens);
  });
});

describe("sessions that are long dead", () => {
  test("are deleted in batches, each once, by several instances side by side", async () => {
    const user = await given.user(sql);
    await deleteSessions(sql);
    await insertDeadSessions(sql, user.id, 300);
    const alive = await begin(user);
    const pool = createPool({
      target: parseDatabaseUrl(service.databaseUrl),
      statementTimeoutMs: 5000,
      connectTimeoutMs: 5000,
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    });
    const store = createSessionStore(pool);
    expect(await store.deleteDead(3 * 86_400, 100)).toBe(0);
    const counts = await Promise.all(Array.from({ length: 6 }, () => store.deleteDead(86_400, 100)));
    const left = await store.deleteDead(86_400, 1000);
    expect([...counts, left].reduce((sum, count) => sum + count, 0)).toBe(300);
    for (const count of counts) expect(count).toBeLessThanOrEqual(100);
    await pool.end();
    await expectAlive(alive);
  });
});
