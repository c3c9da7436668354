import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { createSessionStore, type SessionStore } from "../../src/domain/session/session-store.ts";
import { createManagedUserStore, type ManagedUserStore } from "../../src/domain/user/managed-user-store.ts";
import { parseDatabaseUrl } from "../../src/postgres/connection-string.ts";
import { createPool, type Database } from "../../src/postgres/pool.ts";
import { type Answer, requireTokens, type Tokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { longTimeoutMs, printFigures, sizeOf } from "../_harness/figures.ts";
import { type Fleet, startFleet } from "../_harness/fleet.ts";
import * as given from "../_harness/given.ts";
import { bearerOf } from "../_harness/rest.ts";
import { untilWaiting } from "../_harness/rows/locks.ts";
import { lockUser } from "../_harness/rows/users.ts";
import { openSql } from "../_harness/sql.ts";

const rounds = sizeOf(50, 500);
const sessionsMax = 5;

let fleet: Fleet;
let sql: Client;
let observer: Client;
let pool: Database;
let users: ManagedUserStore;
let sessions: SessionStore;
beforeAll(async () => {
  fleet = await startFleet(3, {
    env: { MAX_SESSIONS_PER_USER: String(sessionsMax) },
    workersOfFirst: 4,
  });
  sql = await openSql(fleet.databaseUrl);
  observer = await openSql(fleet.databaseUrl);
  pool = createPool({
    target: parseDatabaseUrl(fleet.databaseUrl),
    statementTimeoutMs: 5000,
    connectTimeoutMs: 5000,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  users = createManagedUserStore(pool);
  sessions = createSessionStore(pool);
}, 60_000);
afterAll(async () => {
  await pool.end();
  await observer.end();
  await sql.end();
  await fleet.stop();
});

type Owner = given.TestUser & { readonly id: string };

async function revokeAll({ access_token }: Tokens): Promise<void> {
  const headers = bearerOf(access_token);
  const answer = await fetch(`${fleet.nextUrl()}/auth/sessions`, { method: "DELETE", headers });
  expect(answer.status).toBe(204);
}

async function setStatus(user: Owner, status: "active" | "suspended"): Promise<void> {
  await pool.transaction(async (tx) => {
    await users.setStatus(tx, user.id, status);
    await sessions.endAllOf(tx, [user.id]);
  });
}

function jitter(): Promise<void> {
  // sleep: the calls meet at any moment.
  return sleep(Math.random() * 8);
}

async function expectDead(answers: readonly Answer[]): Promise<void> {
  for (const { tokens } of answers) {
    if (tokens === null) continue;
    expect(await api(fleet.nextUrl()).rest.refresh(tokens.refresh_token)).toMatchObject({ status: 401 });
    expect(await api(fleet.nextUrl()).rest.me(tokens.access_token)).toMatchObject({ status: 401 });
  }
}

describe("over three processes", () => {
  test(
    "a login that overlaps with the end of all sessions leaves no live token",
    async () => {
      let signedIn = 0;
      for (let round = 0; round < rounds; round += 1) {
        const user = await given.user(sql);
        const tokens = requireTokens(await api(fleet.nextUrl()).rest.login(user));
        // All have read the user and its counter, and meet at its row; who is first is left to chance.
        await sql.query("begin");
        await lockUser(sql, user.id);
        const overlapping: Promise<Answer>[] = [];
        const revokeAt = round % 3;
        let revoked: Promise<void> | null = null;
        for (let turn = 0; turn < 3; turn += 1) {
          if (turn === revokeAt) revoked = revokeAll(tokens);
          else overlapping.push(api(fleet.nextUrl()).rest.login(user));
          if (round % 2 === 0) await untilWaiting(fleet.databaseUrl, turn + 1);
        }
        await untilWaiting(fleet.databaseUrl, 3);
        await sql.query("commit");
        await revoked;
        const answers = await Promise.all(overlapping);
        for (const { status, reason } of answers) {
          expect([null, "invalid_credentials"]).toContain(reason ?? (status === 200 ? null : status));
        }
        signedIn += answers.filter(({ status }) => status === 200).length;
        await expectDead(answers);
        requireTokens(await api(fleet.nextUrl()).rest.login(user));
      }
      expect(signedIn).toBeGreaterThan(0);
      printFigures("end of all sessions against logins", {
        rounds,
        "overlapping logins": 2 * rounds,
        answered: signedIn,
      });
    },
    longTimeoutMs,
  );

  test.each([
    ["the end of all sessions", (_user: Owner, tokens: Tokens) => revokeAll(tokens), () => Promise.resolve()],
    [
      "a suspension",
      (user: Owner) => setStatus(user, "suspended"),
      (user: Owner) => setStatus(user, "active"),
    ],
  ])(
    "a refresh that overlaps with %s leaves no live token, and none that begins after it succeeds",
    async (what, end, undo) => {
      let answered = 0;
      for (let round = 0; round < rounds; round += 1) {
        const user = await given.user(sql);
        const [one, two] = [
          requireTokens(await api(fleet.nextUrl()).rest.login(user)),
          requireTokens(await api(fleet.nextUrl()).rest.login(user)),
        ];
        const overlapping = [one, one, two, two].map(async ({ refresh_token }) => {
          await jitter();
          return api(fleet.nextUrl()).rest.refresh(refresh_token);
        });
        await jitter();
        await end(user, one);
        const after = await Promise.all(
          [one, two].map(({ refresh_token }) => api(fleet.nextUrl()).rest.refresh(refresh_token)),
        );
        expect(after.map(({ status }) => status)).toEqual([401, 401]);
        const answers = await Promise.all(overlapping);
        answered += answers.filter(({ status }) => status === 200).length;
        await undo(user);
        await expectDead(answers);
      }
      expect(answered).toBeGreaterThan(0);
      printFigures(`${what} against refreshes`, { rounds, "overlapping refreshes": 4 * rounds, answered });
    },
    longTimeoutMs,
  );

  test(
    "a login that overlaps with a suspension leaves no live token, and none that begins after it succeeds",
    async () => {
      let answered = 0;
      for (let round = 0; round < rounds; round += 1) {
        const user = await given.user(sql);
        const overlapping = Array.from({ length: 3 }, async () => {
          await jitter();
          return api(fleet.nextUrl()).rest.login(user);
        });
        await jitter();
        await setStatus(user, "suspended");
        expect(await api(fleet.nextUrl()).rest.login(user)).toMatchObject({ reason: "account_suspended" });
        const answers = await Promise.all(overlapping);
        answered += answers.filter(({ status }) => status === 200).length;
        await setStatus(user, "active");
        await expectDead(answers);
      }
      printFigures("a suspension against logins", { rounds, "overlapping logins": 3 * rounds, answered });
    },
    longTimeoutMs,
  );

  test(
    "logins side by side are all answered, and leave exactly as many sessions as a user may have",
    async () => {
      const [times, logins] = [sizeOf(3, 30), 30];
      for (let round = 0; round < times; round += 1) {
        const user = await given.user(sql);
        const answers = await Promise.all(
          Array.from({ length: logins }, () => api(fleet.nextUrl()).rest.login(user)),
        );
        expect(answers.filter(({ status }) => status === 200)).toHaveLength(logins);
        const refreshed = await Promise.all(
          answers.map((answer) => api(fleet.nextUrl()).rest.refresh(requireTokens(answer).refresh_token)),
        );
        expect(refreshed.filter(({ status }) => status === 200)).toHaveLength(sessionsMax);
      }
      printFigures("parallel logins of one user", { rounds: times, logins, "left alive": sessionsMax });
    },
    longTimeoutMs,
  );
});
