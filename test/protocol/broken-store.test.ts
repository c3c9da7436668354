import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { type Call, type Caller, createCallers } from "../_harness/callers.ts";
import { eventually } from "../_harness/eventually.ts";
import * as given from "../_harness/given.ts";
import { bearerOf, send, sendForm } from "../_harness/rest.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

// its own SQL: it breaks the tables.

// The test breaks the service's own database behind its back.

let service: TestService;
let callers: readonly Caller[];
let sql: Client;
let ada: given.TestUser;
beforeAll(async () => {
  service = await startService();
  ada = await given.user(service, { username: "ada" });
  callers = createCallers(service.url);
  sql = await openSql(service.databaseUrl);
});
afterAll(async () => {
  for (const caller of callers) caller.close();
  await sql.end();
  await service.stop();
});

const inside =
  /pg_|postgres|sql|relation|column|does not exist|hidden|users|sessions|\.ts\b|at file|node_modules/i;

async function expectInternal(call: Call): Promise<void> {
  for (const caller of callers) {
    const { message, failure, status } = await caller.call(call);
    const detail = "Something went wrong on our side.";
    expect({ [caller.name]: { message, failure, status } }).toEqual({
      [caller.name]: {
        message: null,
        failure: { reason: "internal", code: "INTERNAL", detail, fields: [], retryAfterMs: null },
        status: caller.name.startsWith("REST") ? 500 : null,
      },
    });
  }
}

describe.each([
  ["a table that is gone", "alter table users rename to hidden", "alter table hidden rename to users"],
  [
    "a column that is gone",
    "alter table users rename column password_hash to hidden",
    "alter table users rename column hidden to password_hash",
  ],
  [
    "a constraint that nobody expects",
    "alter table sessions add constraint hidden check (false) not valid",
    "alter table sessions drop constraint hidden",
  ],
])("with %s", (_what, breakIt, mendIt) => {
  beforeEach(async () => {
    await sql.query(breakIt);
  });
  afterEach(async () => {
    await sql.query(mendIt);
    await given.session(service, { user: ada });
  });

  test("a login is internal over every protocol", async () => {
    await expectInternal({ rpc: "Login", input: given.credentialsOf(ada) });
  });

  test("the answer shows nothing of the inside, and the log has the request's id and the cause", async () => {
    const id = `broken-${Math.random().toString(36).slice(2)}`;
    const answer = await sendForm(`${service.url}/auth/login`, given.credentialsOf(ada), {
      "x-request-id": id,
    });
    expect(answer.json).toEqual({
      type: "about:blank",
      title: "Internal Server Error",
      status: 500,
      detail: "Something went wrong on our side.",
      reason: "internal",
      request_id: id,
      error: "server_error",
      error_description: "Something went wrong on our side.",
    });
    expect(answer.text + JSON.stringify([...answer.headers])).not.toMatch(inside);
    const linesOfIt = () => service.logs().filter(({ request_id }) => request_id === id);
    await eventually(() => linesOfIt().length > 0);
    const lines = linesOfIt();
    expect(lines).toEqual([
      expect.objectContaining({ level: "error", status: 500, reason: "internal", err: expect.any(Object) }),
    ]);
    expect(JSON.stringify(lines[0]?.["err"])).toMatch(/hidden|users|password_hash|hash/);
    expect(JSON.stringify(lines).length).toBeLessThan(2_048);
    expect(JSON.stringify(lines)).toMatch(/ {4}at /);
    expect(JSON.stringify(lines)).not.toContain(ada.password);
    expect(JSON.stringify(lines)).not.toMatch(/argon2id\$|\$di2nogra/);
  });
});

test("with the sessions gone, a bearer is internal over every protocol, and served again when they are back", async () => {
  const { access_token } = await given.session(service, { user: ada });
  const headers = bearerOf(access_token);
  await sql.query("alter table sessions rename to hidden");
  await expectInternal({ rpc: "GetCurrentUser", headers });
  await sql.query("alter table hidden rename to sessions");
  expect((await send(`${service.url}/auth/me`, { headers })).status).toBe(200);
});
