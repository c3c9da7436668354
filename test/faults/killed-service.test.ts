import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { requireTokens, sessionIdOf } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { retry } from "../_harness/eventually.ts";
import { longTimeoutMs, printFigures, sizeOf } from "../_harness/figures.ts";
import { answered, type Fleet, startFleet } from "../_harness/fleet.ts";
import * as given from "../_harness/given.ts";
import { findUntold } from "../_harness/rows/audit.ts";
import { openSql } from "../_harness/sql.ts";

const kills = sizeOf(10, 50);

let fleet: Fleet;
let sql: Client;
beforeAll(async () => {
  fleet = await startFleet(1);
  sql = await openSql(fleet.databaseUrl);
}, 60_000);
afterAll(async () => {
  await sql.end();
  await fleet.stop();
});

/** Gives a wrong password; answers the status. */
async function failToSignIn({ username }: given.TestUser, requestId: string): Promise<number> {
  const answer = await fetch(`${fleet.nextUrl()}/auth/login`, {
    method: "POST",
    headers: { "x-request-id": requestId },
    body: new URLSearchParams({ username, password: "not the password" }),
  });
  await answer.arrayBuffer();
  return answer.status;
}

describe("when the service is killed with -9 under load, again and again", () => {
  test(
    "every login that was answered has a session, and every logout that was answered has ended one",
    async () => {
      const users: given.TestUser[] = [];
      while (users.length < sizeOf(10, 30)) users.push(await given.user(sql));
      const signedIn: string[] = [];
      const signedOut: { refresh: string; access: string }[] = [];
      const begun: string[] = [];
      const refused: string[] = [];
      let unanswered = 0;
      const killing = new AbortController();

      const ask = async <T>(call: () => Promise<T>): Promise<T | null> => {
        const answer = await answered(call());
        if (answer === null) unanswered += 1;
        return answer;
      };
      /** As a client does: it asks again with the token that it has, within the grace. */
      const refreshUntilAnswered = (token: string): Promise<string> =>
        retry(50_000, async () => {
          const answer = await ask(() => api(fleet.nextUrl()).rest.refresh(token));
          return answer === null || answer.status === 503 ? null : requireTokens(answer).refresh_token;
        });
      /** A session that was begun is, by turns, left, ended, or refreshed. False where no login was answered. */
      const act = async (user: given.TestUser, turn: number): Promise<boolean> => {
        const login = await ask(() => api(fleet.nextUrl()).rest.login(user));
        const tokens = login?.tokens ?? null;
        if (tokens === null) return false;
        begun.push(sessionIdOf(tokens));
        const requestId = randomUUID();
        if ((await ask(() => failToSignIn(user, requestId))) === 401) refused.push(requestId);
        const { refresh_token: token, access_token: access } = tokens;
        if (turn % 3 === 0) signedIn.push(token);
        else if (turn % 3 === 2) signedIn.push(await refreshUntilAnswered(token));
        else if ((await ask(() => api(fleet.nextUrl()).rest.logout(token)))?.status === 204) {
          signedOut.push({ refresh: token, access });
        }
        return true;
      };
      const load = async (user: given.TestUser): Promise<void> => {
        // No more than the sessions that a user may have, with those whose login was not answered.
        let turn = 0;
        while (!killing.signal.aborted) {
          const isAnswered = turn < 80 && (await act(user, turn));
          if (isAnswered) turn += 1;
          // sleep: as fast as a client that works.
          await sleep(isAnswered ? 20 + Math.random() * 30 : 100);
        }
      };
      const loading = Promise.all(users.map(load));
      for (let count = 0; count < kills; count += 1) {
        // In the middle of work, however slow the machine is.
        const before = signedIn.length;
        await retry(60_000, () => Promise.resolve(signedIn.length >= before + 5 ? true : null));
        // sleep: the kill meets any moment.
        await sleep(Math.random() * 100);
        await fleet.replace(0);
      }
      killing.abort();
      await loading;

      for (const token of signedIn) requireTokens(await api(fleet.nextUrl()).rest.refresh(token));
      for (const { refresh: token, access } of signedOut) {
        expect(await api(fleet.nextUrl()).rest.refresh(token)).toMatchObject({
          reason: "invalid_refresh_token",
        });
        expect(await api(fleet.nextUrl()).rest.me(access)).toMatchObject({ status: 401 });
      }
      const ended = signedOut.map(({ access }) => sessionIdOf({ access_token: access }));
      expect(await findUntold(sql, "login.succeeded", "session_id", begun)).toEqual([]);
      expect(await findUntold(sql, "login.failed", "request_id", refused)).toEqual([]);
      expect(await findUntold(sql, "session.ended", "session_id", ended)).toEqual([]);
      expect(refused.length).toBeGreaterThan(0);
      expect(signedIn.length).toBeGreaterThan(kills);
      expect(signedOut.length).toBeGreaterThan(0);
      printFigures("kill -9 of the service", {
        kills,
        logins: signedIn.length,
        logouts: signedOut.length,
        "failed logins": refused.length,
        unanswered,
      });
    },
    longTimeoutMs,
  );
});
