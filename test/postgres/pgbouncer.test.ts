import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { parseDatabaseUrl } from "../../src/postgres/connection-string.ts";
import { createPool } from "../../src/postgres/pool.ts";
import { requireTokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { addClient, basicOf } from "../_harness/clients.ts";
import * as given from "../_harness/given.ts";
import { startPgBouncer, type TestPgBouncer } from "../_harness/pgbouncer.ts";
import { createTestDatabase, startTestCluster, type TestCluster } from "../_harness/postgres.ts";
import { sendForm } from "../_harness/rest.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

// Debian's PgBouncer before Debian's PostgreSQL: fewer sessions than the instances together have connections, so that
// each transaction may be another's session's.

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
/** What is ours, and what a session of the server must not keep of it. */
const settings = `SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
  current_setting('idle_in_transaction_session_timeout') AS idle, current_setting('jit') AS jit,
  current_setting('plan_cache_mode') AS plans, current_setting('default_transaction_isolation') AS isolation,
  current_setting('datestyle') AS dates, (SELECT count(*)::int FROM pg_prepared_statements) AS prepared`;
const settingsThere = { name: "settings", text: settings };

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ stock: true });
}, 240_000);
afterAll(() => cluster.stop());

test("the tests run on Debian's PostgreSQL 15", () => {
  expect(cluster.version).toMatch(/^15\./);
});

describe.each([
  { mode: "transaction", poolSize: 3 },
  { mode: "session", poolSize: 20 },
] as const)("behind a PgBouncer in $mode mode", ({ mode, poolSize }) => {
  let bouncer: TestPgBouncer;
  let env: Record<string, string>;
  let services: TestService[];
  let sql: Client;
  beforeAll(async () => {
    const database = await createTestDatabase(cluster);
    sql = await openSql(database.url);
    // What the server, or somebody else's role, has for a default must not reach us.
    await sql.query(
      `ALTER DATABASE ${new URL(database.url).pathname.slice(1)} SET default_transaction_isolation = 'repeatable read'`,
    );
    bouncer = await startPgBouncer(database.url, { mode, poolSize });
    // A machine that is busy with tests is slow, and these are not about time.
    const patience = { DATABASE_TIMEOUT: "60s", REQUEST_TIMEOUT: "60s", HASH_WAIT_MAX: "60s" };
    env = { ...patience, DATABASE_URL: bouncer.url, ISSUER: "http://localhost:8080" };
    services = [await startService({ env })];
    services.push(await startService({ env }));
  }, 240_000);
  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await sql.end();
    await bouncer.stop();
  });

  const at = (index: number): TestService => {
    const service = services[index % services.length];
    if (service === undefined) throw new Error("There is no instance.");
    return service;
  };

  test("two instances sign in, refresh, introspect and sign out side by side", async () => {
    const resource = await addClient(sql, { canIntrospect: true });
    const own = await addClient(sql, {
      firstParty: true,
      grants: ["password", "refresh_token"],
      canIntrospect: true,
    });
    const users: given.TestUser[] = [];
    while (users.length < 24) users.push(await given.user(sql));
    const rounds = users.map(async (user, index) => {
      const { url } = at(index);
      let tokens = requireTokens(await api(url).rest.login(user));
      for (let count = 1; count <= 3; count += 1) {
        tokens = requireTokens(await api(at(index + count)).rest.refresh(tokens.refresh_token));
        expect((await api(at(index)).rest.me(tokens.access_token)).status).toBe(200);
      }
      const form = { token: tokens.access_token };
      expect((await sendForm(`${url}/auth/introspect`, form, basicOf(resource))).status).toBe(200);
      expect((await sendForm(`${url}/auth/introspect`, form, basicOf(own))).status).toBe(200);
      expect((await api(url).rest.logout(tokens.refresh_token)).status).toBe(204);
      expect((await api(url).rest.refresh(tokens.refresh_token)).status).toBe(401);
    });
    await Promise.all(rounds);
    const failures = services.flatMap((service) =>
      service.logs().filter(({ level, status }) => level === "error" || Number(status) >= 500),
    );
    expect(failures).toEqual([]);
  });

  test("it starts again, and commands work", async () => {
    expect(await services[0]?.end("SIGTERM")).toBe(0);
    services[0] = await startService({ env });
    const { url, admin } = at(0);
    requireTokens(await api(url).rest.login(admin));
    expect((await at(0).command(["user", "list", "--json"])).code).toBe(0);
  });

  test("statements have the limits and defaults of ours, and leave none to others", async () => {
    const through = await openSql(bouncer.url);
    const { rows: before } = await through.query(settings);
    await through.end();
    const target = parseDatabaseUrl(bouncer.url);
    const db = createPool({ target, statementTimeoutMs: 43_210, connectTimeoutMs: 5_000, log: quiet });
    const ours = {
      statement: "43210ms",
      lock: "43210ms",
      jit: "off",
      plans: "force_generic_plan",
      dates: "ISO, MDY",
    };
    expect(await db.query(settingsThere)).toEqual([expect.objectContaining(ours)]);
    await db.transaction(async (tx) => {
      expect(await tx.query(settingsThere)).toEqual([expect.objectContaining(ours)]);
      const [found] = await tx.query<{ level: string }>({
        name: "isolation",
        text: "SELECT current_setting('transaction_isolation') AS level",
      });
      expect(found?.level).toBe("read committed");
    });
    await db.end();
    for (let count = 0; count < 10; count += 1) {
      const other = await openSql(bouncer.url);
      expect((await other.query(settings)).rows).toEqual(before);
      await other.end();
    }
  });

  test("a statement that fails leaves no transaction open for the next", async () => {
    const target = parseDatabaseUrl(bouncer.url);
    const db = createPool({ target, statementTimeoutMs: 5_000, connectTimeoutMs: 5_000, log: quiet });
    const failing = { name: "failing", text: "SELECT 1 / $1::int AS one" };
    await expect(db.query(failing, [0])).rejects.toThrow("division by zero");
    await expect(db.query({ name: "slow", text: "SELECT pg_sleep(30)" })).rejects.toMatchObject({
      reason: "unavailable",
    });
    expect(await db.query(failing, [1])).toEqual([{ one: 1 }]);
    await db.end();
  });
});
