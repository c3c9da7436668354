import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { reasons } from "../../src/errors/reasons.ts";
import { type Answer, hasStatus, requireTokens, sessionIdOf, type Tokens } from "../_harness/answer.ts";
import { api, type Api, wayNames } from "../_harness/api.ts";
import * as given from "../_harness/given.ts";
import { bearerOf } from "../_harness/rest.ts";
import { ageRotations, deleteSessions, readSession } from "../_harness/rows/sessions.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

let service: TestService;
let calls: Api;
let sql: Client;
beforeAll(async () => {
  service = await startService();
  calls = api(service);
  sql = await openSql(service.databaseUrl);
});
afterAll(async () => {
  calls.close();
  await sql.end();
  await service.stop();
});

const begin = (): Promise<Tokens> => given.session(service, { sql });

async function expectDead(tokens: Tokens): Promise<void> {
  expect(await api(service).rest.me(tokens.access_token)).toMatchObject({ status: 401 });
  expect(await api(service).rest.refresh(tokens.refresh_token)).toMatchObject({
    reason: "invalid_refresh_token",
  });
}

function expectEnded(answer: Answer): void {
  expect(answer).toMatchObject({ reason: null, message: {} });
  expect(hasStatus(answer, 204)).toBe(true);
}

function expectFailure(answer: Answer, reason: keyof typeof reasons): void {
  expect(answer.reason).toBe(reason);
  expect(hasStatus(answer, reasons[reason].status)).toBe(true);
}

describe.each(wayNames)("a logout by %s", (name) => {
  const call = (input: Record<string, string>, bearer?: string) =>
    calls.ways[name].call({ rpc: "Logout", input, ...(bearer === undefined ? {} : { bearer }) });

  test("ends the session of the current refresh token", async () => {
    const tokens = await begin();
    expectEnded(await call({ refresh_token: tokens.refresh_token }));
    await expectDead(tokens);
  });

  test("ends the session of an older genuine refresh token, however old", async () => {
    const first = await begin();
    const next = requireTokens(await api(service).rest.refresh(first.refresh_token));
    await ageRotations(sql, sessionIdOf(first), 3600);
    expectEnded(await call({ refresh_token: first.refresh_token }));
    await expectDead(next);
  });

  test("ends the session of the access token where there is no refresh token", async () => {
    const tokens = await begin();
    expectEnded(await call({}, tokens.access_token));
    await expectDead(tokens);
  });

  test("needs one of the two", async () => {
    expectFailure(await call({}), "missing_token");
    expectFailure(await call({}, "no.access.token"), "invalid_token");
  });

  test("refuses a forged refresh token, also beside a good access token, and ends nothing", async () => {
    const tokens = await begin();
    const forged = `${tokens.refresh_token.slice(0, -8)}AAAAAAAA`;
    expectFailure(await call({ refresh_token: forged }), "invalid_refresh_token");
    expectFailure(await call({ refresh_token: forged }, tokens.access_token), "invalid_refresh_token");
    expect(await api(service).rest.me(tokens.access_token)).toMatchObject({ status: 200 });
  });

  test("refuses an unknown client", async () => {
    const tokens = await begin();
    expectFailure(
      await call({ refresh_token: tokens.refresh_token, client_id: "somebody" }),
      "invalid_client",
    );
  });

  test("succeeds for a session that has ended, and for one that is no more", async () => {
    const tokens = await begin();
    expectEnded(await call({ refresh_token: tokens.refresh_token }));
    expectEnded(await call({ refresh_token: tokens.refresh_token }));
    await deleteSessions(sql, sessionIdOf(tokens));
    expectEnded(await call({ refresh_token: tokens.refresh_token }));
  });

  test("takes a good refresh token whatever the access token beside it", async () => {
    const [ended, other] = [await begin(), await begin()];
    expectEnded(await call({ refresh_token: ended.refresh_token }, other.access_token));
    await expectDead(ended);
    expect(await readSession(sql, sessionIdOf(other))).toMatchObject({ ended: false });
    const expired = await begin();
    expectEnded(await call({ refresh_token: expired.refresh_token }, "no.access.token"));
    await expectDead(expired);
  });
});

describe("POST /auth/logout", () => {
  test("with an access token needs no body", async () => {
    const tokens = await begin();
    const headers = bearerOf(tokens.access_token);
    const answer = await fetch(`${service.url}/auth/logout`, { method: "POST", headers });
    expect(answer.status).toBe(204);
    await expectDead(tokens);
  });
});
