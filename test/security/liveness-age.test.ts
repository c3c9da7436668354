import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { sessionIdOf, type Tokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { longTimeoutMs, printFigures, sizeOf } from "../_harness/figures.ts";
import { type Fleet, startFleet } from "../_harness/fleet.ts";
import * as given from "../_harness/given.ts";
import { changeUser } from "../_harness/rows/users.ts";
import { openSql } from "../_harness/sql.ts";

const ageMaxMs = 1000;

let fleet: Fleet;
let sql: Client;
beforeAll(async () => {
  fleet = await startFleet(2, { workersOfFirst: 4 });
  sql = await openSql(fleet.databaseUrl);
}, longTimeoutMs);
afterAll(async () => {
  await sql.end();
  await fleet.stop();
});

interface Begun extends Tokens {
  readonly userId: string;
  readonly password: string;
}

async function begin(): Promise<Begun> {
  const user = await given.user(sql);
  const session = await given.session({ url: fleet.nextUrl(), databaseUrl: fleet.databaseUrl }, { user });
  return { ...session, password: user.password };
}

async function call(url: string, method: string, path: string, bearer: string, body?: object): Promise<void> {
  const headers = { authorization: `Bearer ${bearer}`, "content-type": "application/json" };
  const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
  const answer = await fetch(`${url}${path}`, init);
  await answer.arrayBuffer();
  expect(Math.floor(answer.status / 100)).toBe(2);
}

/** The ways to end a session through an instance. */
const ends: Readonly<Record<string, (url: string, session: Begun) => Promise<void>>> = {
  "a logout with the refresh token": async (url, { refresh_token }) => {
    expect((await api(url).rest.logout(refresh_token)).status).toBe(204);
  },
  "a logout with the access token": (url, { access_token }) =>
    call(url, "POST", "/auth/logout", access_token),
  "the end of one session": (url, session) =>
    call(url, "DELETE", `/auth/sessions/${sessionIdOf(session)}`, session.access_token),
  "the end of all sessions": (url, { access_token }) => call(url, "DELETE", "/auth/sessions", access_token),
  "a new password": (url, { access_token, password }) =>
    call(url, "POST", "/auth/change-password", access_token, {
      current_password: password,
      new_password: "another horse staple",
    }),
};

const statusOf = async (url: string, { access_token }: Tokens) =>
  (await api(url).rest.me(access_token)).status;

describe.each(Object.entries(ends))("an access token whose session ended by %s", (what, end) => {
  test(
    "is refused at once by the instance that ended it, and everywhere else within a second",
    async () => {
      const rounds = sizeOf(2, 30);
      let asked = 0;
      for (let round = 0; round < rounds; round += 1) {
        const session = await begin();
        const [here = "", there = ""] = round % 2 === 0 ? fleet.urls() : fleet.urls().toReversed();
        // Both remember the answer when it ends.
        expect(await Promise.all([statusOf(here, session), statusOf(there, session)])).toEqual([200, 200]);
        await end(here, session);
        const endedAtMs = performance.now();
        const late: number[] = [];
        expect(await statusOf(here, session)).toBe(401);
        for (let startMs = endedAtMs; startMs < endedAtMs + 1.5 * ageMaxMs; startMs = performance.now()) {
          const status = await statusOf(there, session);
          asked += 1;
          // One that began earlier may still be answered.
          if (startMs >= endedAtMs + ageMaxMs) late.push(status);
          // sleep: as fast as a client that works.
          await sleep(20);
        }
        late.push(await statusOf(there, session));
        expect(late.filter((status) => status !== 401)).toEqual([]);
      }
      printFigures(`refused after ${what}`, { rounds, asked });
    },
    longTimeoutMs,
  );
});

test("a user who was suspended past the instances is refused everywhere within a second, and roles are as old at most", async () => {
  const session = await begin();
  for (const url of fleet.urls()) expect(await statusOf(url, session)).toBe(200);
  await changeUser(sql, { id: session.userId }, { roles: ["auditor"] });
  // sleep: within this time is the promise.
  await sleep(ageMaxMs);
  for (const url of fleet.urls()) {
    expect(await api(url).rest.me(session.access_token)).toMatchObject({
      status: 200,
      message: { roles: ["auditor"] },
    });
  }
  await changeUser(sql, { id: session.userId }, { status: "suspended" });
  // sleep: within this time is the promise.
  await sleep(ageMaxMs);
  for (const url of fleet.urls()) expect(await statusOf(url, session)).toBe(401);
});
