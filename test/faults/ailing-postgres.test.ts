import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import type { Tokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { addClient, basicOf, postOf, type TestClient } from "../_harness/clients.ts";
import { eventually } from "../_harness/eventually.ts";
import { printFigures } from "../_harness/figures.ts";
import * as given from "../_harness/given.ts";
import { hangPostgres } from "../_harness/hang-postgres.ts";
import { readMetric } from "../_harness/metrics.ts";
import { createTestDatabase, startTestCluster, type TestCluster } from "../_harness/postgres.ts";
import { sendForm } from "../_harness/rest.ts";
import { holdTable } from "../_harness/rows/locks.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

// What callers get, and how soon, while PostgreSQL is locked, loses its backends, or is frozen.

const timeoutMs = 3_000;
const drainTimeoutMs = 1_000;
/** What the end of the process may take beside its configured times. */
const endMarginMs = 5_000;
/** How much later than its deadline an answer may be; and a machine that is busy with very many other tests. */
const lateMs = 250 + 6_000;

let cluster: TestCluster;
let sql: Client;
let service: TestService;
let tokens: Tokens;
let client: TestClient;

const env = {
  DATABASE_TIMEOUT: `${timeoutMs}ms`,
  DRAIN_TIMEOUT: `${drainTimeoutMs}ms`,
  REDIS_URL: "",
};

beforeAll(async () => {
  cluster = await startTestCluster();
  const { url } = await createTestDatabase(cluster);
  service = await startService({ env: { ...env, DATABASE_URL: url } });
  sql = await openSql(url);
  client = await addClient(sql, {
    firstParty: true,
    grants: ["password", "refresh_token"],
    canIntrospect: true,
  });
  tokens = await given.session(service, { sql });
}, 240_000);
afterAll(async () => {
  await service.stop();
  await sql.end();
  await cluster.stop();
});

interface Timed {
  readonly status: number;
  readonly ms: number;
}

async function timed(call: Promise<{ readonly status: number }>): Promise<Timed> {
  const startedAt = performance.now();
  const { status } = await call;
  return { status, ms: performance.now() - startedAt };
}

const login = (parameters: Readonly<Record<string, string>> = {}): Promise<Timed> =>
  timed(api(service).rest.login(service.admin, parameters));
const get = (path: string): Promise<Timed> => timed(fetch(`${service.url}${path}`));
const longest = (answers: readonly Timed[]): number => Math.round(Math.max(...answers.map(({ ms }) => ms)));

async function refreshOnce(): Promise<Timed> {
  const startedAt = performance.now();
  const answer = await api(service).rest.refresh(tokens.refresh_token);
  if (answer.tokens !== null) tokens = answer.tokens;
  return { status: answer.status, ms: performance.now() - startedAt };
}

describe("while the users' table is locked against writes", () => {
  test("logins are told in time; refreshes, bearers and introspection are served, and readiness stays", async () => {
    const unlock = await holdTable(service.databaseUrl, "users", "exclusive");
    const logins = Array.from({ length: 30 }, () => login());
    await eventually(async () => (await readMetric(service, "countersign_postgres_pool_waiting")) > 0);
    const others: Timed[] = [];
    for (let count = 0; count < 5; count += 1) {
      others.push(await refreshOnce());
      others.push(await timed(api(service).rest.me(tokens.access_token)));
      others.push(
        await timed(
          sendForm(`${service.url}/auth/introspect`, { token: tokens.access_token }, basicOf(client)),
        ),
      );
      others.push(await get("/readyz"));
      // sleep: as often as a probe looks.
      await sleep(200);
    }
    const told = await Promise.all(logins);
    await unlock();
    expect(new Set(others.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(told.map(({ status }) => status))).toEqual(new Set([503]));
    expect(longest(told)).toBeLessThan(timeoutMs + lateMs);
    expect(longest(others)).toBeLessThan(lateMs);
    expect((await login()).status).toBe(200);
    printFigures("users locked against writes", {
      "logins told after ms": longest(told),
      "others served after ms": longest(others),
    });
  });
});

describe("while backends are terminated twenty times under a lock on the clients' table and 80 calls a second", () => {
  test("every call is answered in time, and all is well when the lock is gone", async () => {
    const unlock = await holdTable(service.databaseUrl, "clients");
    const calls: Promise<Timed>[] = [];
    for (let round = 0; round < 20; round += 1) {
      for (let count = 0; count < 16; count += 1) {
        calls.push(login(postOf(client)));
        // sleep: a steady load.
        await sleep(12);
      }
      await sql.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND application_name = 'countersign'`,
      );
    }
    await unlock();
    const answers = await Promise.all(calls);
    expect([...new Set(answers.map(({ status }) => status))].filter((status) => status !== 200)).toEqual([
      503,
    ]);
    expect(longest(answers)).toBeLessThan(timeoutMs + lateMs);
    await eventually(async () => (await get("/readyz")).status === 200, 10_000);
    await eventually(
      async () =>
        (await readMetric(service, 'countersign_postgres_pool_connections{state="busy"}')) === 0 &&
        (await readMetric(service, "countersign_postgres_pool_waiting")) === 0,
      10_000,
    );
    const after = await Promise.all(Array.from({ length: 12 }, () => login(postOf(client))));
    expect(new Set(after.map(({ status }) => status))).toEqual(new Set([200]));
    expect((await refreshOnce()).status).toBe(200);
  });
});

describe("while PostgreSQL is frozen", () => {
  test("callers are told in time and then at once, keys and metadata are served, and SIGTERM ends the process", async () => {
    const goOn = await hangPostgres(cluster.pid());
    try {
      const first = await Promise.all([
        login(),
        refreshOnce(),
        timed(api(service).rest.me(tokens.access_token)),
      ]);
      expect(first.map(({ status }) => status)).toEqual([503, 503, 503]);
      expect(longest(first)).toBeLessThan(timeoutMs + lateMs);
      await eventually(async () => (await get("/readyz")).status === 503, 10_000);
      const then = [
        await login(),
        await refreshOnce(),
        await timed(api(service).rest.me(tokens.access_token)),
      ];
      expect(then.map(({ status }) => status)).toEqual([503, 503, 503]);
      expect(then.map(({ ms }) => ms).toSorted((a, b) => a - b)[1]).toBeLessThan(2_500);
      for (const path of ["/.well-known/jwks.json", "/.well-known/oauth-authorization-server", "/livez"]) {
        expect(await get(path)).toMatchObject({ status: 200 });
      }
      const startedAt = performance.now();
      const code = await service.end("SIGTERM");
      const endedMs = Math.round(performance.now() - startedAt);
      expect(endedMs).toBeLessThan(drainTimeoutMs + timeoutMs + endMarginMs + lateMs);
      expect(code).toBe(0);
      printFigures("PostgreSQL frozen", {
        "told after ms": longest(first),
        "then after ms": longest(then),
        "ended after ms": endedMs,
      });
    } finally {
      goOn();
    }
  });
});
