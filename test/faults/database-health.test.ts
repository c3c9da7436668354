import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { api } from "../_harness/api.ts";
import { eventually } from "../_harness/eventually.ts";
import { longTimeoutMs, printFigures, sizeOf } from "../_harness/figures.ts";
import { findPostgresOf, hangPostgres } from "../_harness/hang-postgres.ts";
import { createTestDatabase, startTestCluster, type TestCluster } from "../_harness/postgres.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

// Its period is 1 s and its time limit 0.8 s. The short form runs on machines that are busy with more.
const noticedMs = sizeOf(20_000, 2_000);
const returnedMs = sizeOf(20_000, 5_000);
const awayMs = sizeOf(8_000, 30_000);

/** The answers of the probes, asked again and again: what they were, and when they became so. */
interface Watch {
  /** Resolves with the milliseconds that it took until /readyz answered so. */
  until(status: 200 | 503, withinMs: number): Promise<number>;
  /** All that /livez has answered; null for no answer. */
  end(): Promise<Set<number | null>>;
}

function watchProbes(service: TestService): Watch {
  const seen = { live: new Set<number | null>(), ready: null as number | null };
  const ending = new AbortController();
  const statusOf = async (path: string): Promise<number | null> =>
    (await fetch(service.opsUrl + path).catch(() => null))?.status ?? null;
  const asking = (async () => {
    while (!ending.signal.aborted) {
      seen.live.add(await statusOf("/livez"));
      seen.ready = await statusOf("/readyz");
      // sleep: as often as a probe looks.
      await sleep(20);
    }
  })();
  return {
    async until(status, withinMs) {
      const startedAt = performance.now();
      await eventually(() => seen.ready === status, withinMs, 10).catch(() => {
        throw new Error(`/readyz did not answer ${status} within ${withinMs} ms, but ${seen.ready}.`);
      });
      return Math.round(performance.now() - startedAt);
    },
    async end() {
      ending.abort();
      await asking;
      return seen.live;
    },
  };
}

/** Takes the database away and gives it back, and looks at what the probes say meanwhile. */
async function expectHonesty(
  name: string,
  service: TestService,
  take: () => Promise<() => Promise<void> | void>,
): Promise<void> {
  const watch = watchProbes(service);
  await watch.until(200, 20_000);
  const giveBack = await take();
  const noticed = await watch.until(503, noticedMs).catch(async (error: unknown) => {
    await giveBack();
    throw error;
  });
  const verbose = await fetch(`${service.opsUrl}/healthz?verbose`);
  expect(verbose.status).toBe(503);
  expect(await verbose.text()).toMatch(/^\[\+\]phase serving\n\[-\]postgres failed: [a-z ]+\n/);
  expect((await fetch(`${service.url}/readyz`)).status).toBe(503);
  expect((await fetch(`${service.url}/livez`)).status).toBe(200);
  expect((await fetch(`${service.opsUrl}/startupz`)).status).toBe(200);
  // sleep: the outage.
  await sleep(awayMs);
  await giveBack();
  const returned = await watch.until(200, returnedMs);
  expect(await watch.end()).toEqual(new Set([200]));
  expect((await api(service).rest.login(service.admin)).status).toBe(200);
  // One process all the while.
  expect(service.logs().filter(({ msg }) => msg === "the service is ready")).toHaveLength(1);
  await eventually(() => service.logs().filter(({ msg }) => msg === "ready").length > 1);
  printFigures(name, { "noticed after ms": noticed, "ready again after ms": returned });
}

describe("a PostgreSQL that others run", () => {
  let cluster: TestCluster;
  let service: TestService;
  beforeAll(async () => {
    cluster = await startTestCluster();
    service = await startService({ env: { DATABASE_URL: (await createTestDatabase(cluster)).url } });
  }, 240_000);
  afterAll(async () => {
    await service.stop();
    await cluster.stop();
  });

  test(
    "stopped: /readyz turns 503, /livez stays 200, the process lives on, and is ready again when it is back",
    () =>
      expectHonesty("PostgreSQL stopped", service, async () => {
        await cluster.pause();
        return () => cluster.start();
      }),
    longTimeoutMs,
  );

  test(
    "hung: the same",
    () =>
      expectHonesty("PostgreSQL hung", service, async () => {
        return hangPostgres(await backendOf(service));
      }),
    longTimeoutMs,
  );
});

/** A backend that serves the service now. */
async function backendOf(service: TestService): Promise<number> {
  const sql = await openSql(service.databaseUrl);
  const { rows } = await sql.query<{ pid: number }>(
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
  );
  await sql.end();
  const pid = rows[0]?.pid;
  if (pid === undefined) throw new Error("The service has no connection to its database.");
  return pid;
}

describe("the embedded PostgreSQL", () => {
  let folder: string;
  let service: TestService;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "countersign-test-embedded-"));
    // Else the database of root would lie elsewhere.
    await chmod(folder, 0o711);
    service = await startService({ env: { DATABASE_URL: "", DATA_DIR: folder } });
  }, 240_000);
  afterAll(async () => {
    await service.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test(
    "hung: /readyz turns 503, /livez stays 200, the process lives on, and is ready again when it goes on",
    () =>
      expectHonesty("embedded PostgreSQL hung", service, async () =>
        hangPostgres(await findPostgresOf(service.pid)),
      ),
    longTimeoutMs,
  );
});
