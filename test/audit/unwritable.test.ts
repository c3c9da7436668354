import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import type { Tokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import * as given from "../_harness/given.ts";
import { bearerOf, send, sendForm } from "../_harness/rest.ts";
import { holdTable } from "../_harness/rows/locks.ts";
import { readAllEnds } from "../_harness/rows/sessions.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

let service: TestService;
let sql: Client;
let tokens: Tokens;
beforeAll(async () => {
  service = await startService({ env: { DATABASE_TIMEOUT: "1s" } });
  sql = await openSql(service.databaseUrl);
  tokens = await given.session(service, { user: service.admin });
}, 120_000);
afterAll(async () => {
  await sql.end();
  await service.stop();
});

/** Runs something while nobody can write to the audit trail. */
async function withoutTrail<T>(run: () => Promise<T>): Promise<T> {
  const release = await holdTable(service.databaseUrl, "audit_events", "share");
  try {
    return await run();
  } finally {
    await release();
  }
}

describe("while the audit trail cannot be written", () => {
  test.each<[string, () => Promise<{ readonly status: number }>]>([
    ["a login is", () => api(service).rest.login(service.admin)],
    ["a failed login is", () => api(service).rest.login({ ...service.admin, password: "not the password" })],
    [
      "a login of nobody is",
      () => api(service).rest.login({ username: "nobody", password: "not a password" }),
    ],
    ["a logout is", () => sendForm(`${service.url}/auth/logout`, { refresh_token: tokens.refresh_token })],
    [
      "an end of all sessions is",
      () =>
        send(`${service.url}/auth/sessions`, {
          method: "DELETE",
          headers: bearerOf(tokens.access_token),
        }),
    ],
  ])(
    "%s answered with 503, and changes nothing",
    async (_what, act) => {
      const before = await readAllEnds(sql);
      expect(await withoutTrail(act)).toMatchObject({ status: 503 });
      expect(await readAllEnds(sql)).toEqual(before);
      expect(await api(service).rest.me(tokens.access_token)).toMatchObject({ status: 200 });
    },
    30_000,
  );

  test("a refresh, which leaves no row, goes on", async () => {
    const form = { refresh_token: tokens.refresh_token };
    expect(await withoutTrail(() => sendForm(`${service.url}/auth/refresh`, form))).toMatchObject({
      status: 200,
    });
  });
});
