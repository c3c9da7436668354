import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { type CuttingProxy, startCuttingProxy } from "../_harness/cutting-proxy.ts";
import { eventually } from "../_harness/eventually.ts";
import { answered } from "../_harness/fleet.ts";
import { startService, type TestService } from "../_harness/service.ts";
import {
  addUser,
  logOut,
  readRefreshToken,
  refresh,
  requireTokens,
  sessionIdOf,
  signIn,
  type Tokens,
  whoAmI,
} from "../_harness/session-client.ts";
import { ageRotations, readSession } from "../_harness/session-rows.ts";
import { openSql } from "../_harness/sql.ts";

let service: TestService;
let proxy: CuttingProxy;
let sql: Client;
beforeAll(async () => {
  service = await startService();
  proxy = await startCuttingProxy(service.port);
  sql = await openSql(service.databaseUrl);
});
afterAll(async () => {
  await sql.end();
  await proxy.close();
  await service.stop();
});

async function begin(): Promise<Tokens & { readonly sid: string }> {
  const tokens = requireTokens(await signIn(proxy.url, await addUser(sql, service.admin)));
  return { ...tokens, sid: sessionIdOf(tokens) };
}

/** Does something whose answer never arrives. */
async function lose(call: () => Promise<unknown>): Promise<void> {
  const before = proxy.cuts;
  proxy.isCutting = true;
  expect(await answered(call())).toBeNull();
  proxy.isCutting = false;
  expect(proxy.cuts).toBe(before + 1);
}

describe("when an answer is lost on the wire after the store's commit", () => {
  test("a refresh that is retried within the grace gets the same successor, five times in a row", async () => {
    let token = await begin();
    for (let step = 1n; step <= 3n; step += 1n) {
      const lost = token;
      await lose(() => refresh(proxy.url, lost.refresh_token));
      expect(await readSession(sql, token.sid)).toEqual({ generation: step, ended: false });
      // Some of the retries' answers are lost as well.
      await lose(() => refresh(proxy.url, lost.refresh_token));
      const answers: string[] = [];
      for (let count = 0; count < 5; count += 1) {
        const next = requireTokens(await refresh(proxy.url, lost.refresh_token));
        answers.push(next.refresh_token);
        token = { ...next, sid: token.sid };
      }
      expect(new Set(answers).size).toBe(1);
      expect(readRefreshToken(token.refresh_token).generation).toBe(step);
    }
    expect(await whoAmI(proxy.url, token.access_token)).toMatchObject({ status: 200 });
  });

  test("a refresh that is retried after the grace is reuse: the session ends", async () => {
    const first = await begin();
    await lose(() => refresh(proxy.url, first.refresh_token));
    await ageRotations(sql, first.sid, 61);
    expect(await refresh(proxy.url, first.refresh_token)).toMatchObject({ reason: "invalid_refresh_token" });
    expect(await readSession(sql, first.sid)).toEqual({ generation: 1n, ended: true });
    await eventually(() => service.logs().some((line) => line["session_id"] === first.sid));
  });

  test("a logout has ended the session, and its retry succeeds", async () => {
    const tokens = await begin();
    await lose(() => logOut(proxy.url, tokens.refresh_token));
    expect(await readSession(sql, tokens.sid)).toMatchObject({ ended: true });
    expect(await logOut(proxy.url, tokens.refresh_token)).toBe(204);
  });

  test("a login has begun a session that nobody holds, and its retry begins another", async () => {
    const user = await addUser(sql, service.admin);
    await lose(() => signIn(proxy.url, user));
    requireTokens(await signIn(proxy.url, user));
    const { rows } = await sql.query("select 1 from sessions where user_id = $1", [user.id]);
    expect(rows).toHaveLength(2);
  });
});
