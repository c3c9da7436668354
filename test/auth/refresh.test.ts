import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { decodeJwt } from "jose";
import type { Client } from "pg";
import { reasons } from "../../src/errors/reasons.ts";
import {
  type Answer,
  hasStatus,
  readRefreshToken,
  requireTokens,
  sessionIdOf,
  type Tokens,
} from "../_harness/answer.ts";
import { api, type Api, wayNames } from "../_harness/api.ts";
import * as given from "../_harness/given.ts";
import {
  endSessions,
  expireForGood,
  expireIdle,
  limitIdle,
  limitLife,
  readIdleLimit,
  readSession,
  setFactors,
} from "../_harness/rows/sessions.ts";
import { changeUser } from "../_harness/rows/users.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

let service: TestService;
let calls: Api;
let sql: Client;
beforeAll(async () => {
  service = await startService({ env: { BUILTIN_CLIENT_SCOPES: "a b" } });
  calls = api(service);
  sql = await openSql(service.databaseUrl);
});
afterAll(async () => {
  calls.close();
  await sql.end();
  await service.stop();
});

function begin(scope = ""): Promise<given.TestSession> {
  return given.session(service, { sql, fields: { scope } });
}

function expectFailure(answer: Answer, reason: keyof typeof reasons): void {
  expect(answer.reason).toBe(reason);
  expect(hasStatus(answer, reasons[reason].status)).toBe(true);
}

function flipLast(token: string): string {
  const bytes = Buffer.from(token.slice(4), "base64url");
  bytes.writeUInt8(bytes.readUInt8(60) ^ 1, 60);
  return `csr_${bytes.toString("base64url")}`;
}

describe.each(wayNames)("a refresh by %s", (name) => {
  const call = (input: Record<string, string>) => calls.ways[name].call({ rpc: "Refresh", input });

  test("gives new tokens of the same session, and its access token lives", async () => {
    const first = await begin();
    const answer = await call({ grant_type: "refresh_token", refresh_token: first.refresh_token });
    expect(answer).toMatchObject({ reason: null, message: { token_type: "bearer", expires_in: 900 } });
    const next = answer.message as unknown as Tokens;
    expect(sessionIdOf(next)).toBe(first.sid);
    expect(next.refresh_token).not.toBe(first.refresh_token);
    expect(readRefreshToken(next.refresh_token)).toEqual({
      handle: readRefreshToken(first.refresh_token).handle,
      generation: 1n,
    });
    expect(next.access_token).not.toBe(first.access_token);
    expect(await api(service).rest.me(next.access_token)).toMatchObject({ status: 200 });
  });

  test("keeps the time at which the password was given", async () => {
    const first = await given.session(service, { sql, agedBy: 3600 });
    const { message } = await call({ refresh_token: first.refresh_token });
    const claims = decodeJwt(String(message["access_token"]));
    expect(Number(claims.iat) - Number(claims["auth_time"])).toBeGreaterThanOrEqual(3600);
  });

  test("keeps how the user proved who it is, as the session knows it", async () => {
    const first = await begin();
    await setFactors(sql, first.sid, ["pwd", "otp"]);
    const { message } = await call({ refresh_token: first.refresh_token });
    expect(decodeJwt(String(message["access_token"]))["amr"]).toEqual(["pwd", "otp"]);
  });

  test("refuses another grant type", async () => {
    const { refresh_token } = await begin();
    expectFailure(await call({ grant_type: "password", refresh_token }), "unsupported_grant_type");
  });

  test("names a missing token", async () => {
    const answer = await call({ grant_type: "refresh_token" });
    expectFailure(answer, "validation_failed");
    expect(answer.fields).toEqual(["refresh_token"]);
  });

  test.each(["csr_", "x", "csr_ü", `csr_${"A".repeat(82)}`, `csr_${"_".repeat(1000)}`])(
    "refuses %j, which is no token",
    async (refresh_token) => expectFailure(await call({ refresh_token }), "invalid_refresh_token"),
  );

  test("refuses a forged token and leaves the session as it is", async () => {
    const { refresh_token, sid } = await begin();
    expectFailure(await call({ refresh_token: flipLast(refresh_token) }), "invalid_refresh_token");
    expect(await readSession(sql, sid)).toEqual({ generation: 0n, ended: false });
  });

  test("refuses another client by the token's tag, before it looks for the client; and the built-in one with a secret", async () => {
    const { refresh_token } = await begin();
    expectFailure(await call({ refresh_token, client_id: "somebody" }), "invalid_refresh_token");
    expectFailure(await call({ refresh_token, client_secret: "a secret" }), "invalid_client");
  });

  test("refuses a session that was idle for too long, reached its greatest age, or has ended", async () => {
    const [idle, old, ended] = [await begin(), await begin(), await begin()];
    await expireIdle(sql, idle.sid);
    await expireForGood(sql, old.sid);
    await endSessions(sql, [ended.sid]);
    for (const { refresh_token } of [idle, old, ended]) {
      expectFailure(await call({ refresh_token }), "invalid_refresh_token");
    }
  });

  test.each(["pending", "suspended", "deactivated"])("refuses a %s user", async (status) => {
    const { refresh_token, userId } = await begin();
    await changeUser(sql, { id: userId }, { status });
    expectFailure(await call({ refresh_token }), "invalid_refresh_token");
  });

  test("gives a narrower scope, to that access token alone, and never a wider one", async () => {
    const first = await begin("a");
    expectFailure(await call({ refresh_token: first.refresh_token, scope: "a b" }), "invalid_scope");
    expectFailure(await call({ refresh_token: first.refresh_token, scope: "a  a" }), "invalid_scope");
    expect(await readSession(sql, first.sid)).toMatchObject({ generation: 0n });

    const both = await begin("a b");
    const narrow = await call({ refresh_token: both.refresh_token, scope: "b" });
    expect(decodeJwt(String(narrow.message["access_token"]))["scope"]).toBe("b");
    const whole = await call({ refresh_token: String(narrow.message["refresh_token"]) });
    expect(decodeJwt(String(whole.message["access_token"]))["scope"]).toBe("a b");
  });
});

describe("a refresh", () => {
  test("never lets an access token outlive its session", async () => {
    const { refresh_token, sid } = await begin();
    await limitLife(sql, sid, 20);
    const next = requireTokens(await api(service).rest.refresh(refresh_token));
    expect(next.expires_in).toBeGreaterThan(15);
    expect(next.expires_in).toBeLessThanOrEqual(20);
    expect(decodeJwt(next.access_token).exp).toBe(Number(decodeJwt(next.access_token).iat) + next.expires_in);
  });

  test("takes roles from the store, and so does every request in between", async () => {
    const { refresh_token, access_token, userId } = await begin();
    await changeUser(sql, { id: userId }, { roles: ["auditor"] });
    expect(await api(service).rest.me(access_token)).toMatchObject({
      status: 200,
      message: { roles: ["auditor"] },
    });
    const next = requireTokens(await api(service).rest.refresh(refresh_token));
    expect(decodeJwt(next.access_token)["roles"]).toEqual(["auditor"]);
    await changeUser(sql, { id: userId }, { roles: [] });
    // sleep: what an instance remembers of a session is a second old at most.
    await sleep(1000);
    expect(await api(service).rest.me(next.access_token)).toMatchObject({
      status: 200,
      message: { roles: [] },
    });
  });

  test("lengthens an idle session, but never beyond its greatest age", async () => {
    const { refresh_token, sid } = await begin();
    await limitIdle(sql, sid, 60);
    const next = requireTokens(await api(service).rest.refresh(refresh_token));
    const longer = await readIdleLimit(sql, sid);
    expect(longer.daysLeft).toBeGreaterThan(29);
    expect(longer.withinAge).toBe(true);
    await limitLife(sql, sid, 30);
    requireTokens(await api(service).rest.refresh(next.refresh_token));
    const shorter = await readIdleLimit(sql, sid);
    expect(shorter.daysLeft).toBeLessThanOrEqual(29);
    expect(shorter.withinAge).toBe(true);
  });
});

describe("where a session may be idle for less than an access token lives", () => {
  let short: TestService;
  beforeAll(async () => {
    const env = { DATABASE_URL: service.databaseUrl, SESSION_IDLE_TTL: "1m", ACCESS_TOKEN_TTL: "15m" };
    short = await startService({ env });
  });
  afterAll(() => short.stop());

  test("an access token dies with the session at the latest", async () => {
    const user = await given.user(sql);
    const first = await given.session(short, { user });
    expect(first.expires_in).toBeLessThanOrEqual(60);
    const next = requireTokens(await api(short).rest.refresh(first.refresh_token));
    expect(next.expires_in).toBeLessThanOrEqual(60);
  });
});
