import { describe, expect, test } from "@jest/globals";
import { readRefreshToken, requireTokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { retry } from "../_harness/eventually.ts";
import { longTimeoutMs, printFigures, sizeOf } from "../_harness/figures.ts";
import { type Fleet, startFleet } from "../_harness/fleet.ts";
import * as given from "../_harness/given.ts";
import { readMetrics } from "../_harness/metrics.ts";
import {
  startRedisCluster,
  startRedisSentinel,
  startRedisTls,
  type TestRedisTopology,
} from "../_harness/redis-topologies.ts";
import { readSession } from "../_harness/rows/sessions.ts";
import { storeEnv } from "../_harness/session-stores.ts";
import { openSql } from "../_harness/sql.ts";

const parallel = 60;

interface Held {
  readonly sid: string;
  token: string;
  access: string;
}

async function withFleet(
  start: () => Promise<TestRedisTopology>,
  use: (fleet: Fleet, topology: TestRedisTopology) => Promise<void>,
): Promise<void> {
  const topology = await start();
  const ca = topology.caFile === null ? {} : { REDIS_CA_FILE: topology.caFile };
  const env = { ...storeEnv("Redis and PostgreSQL", topology.url), ...ca };
  try {
    const fleet = await startFleet(2, {
      env: { ...env, REDIS_TIMEOUT: "1s", ARGON2_MEMORY_KIB: "64", ARGON2_ITERATIONS: "1" },
    });
    try {
      await use(fleet, topology);
    } finally {
      await fleet.stop();
    }
  } finally {
    await topology.stop();
  }
}

async function begin(fleet: Fleet, count: number): Promise<Held[]> {
  const sql = await openSql(fleet.databaseUrl);
  const held: Held[] = [];
  while (held.length < count) {
    const at = { url: fleet.nextUrl(), databaseUrl: fleet.databaseUrl };
    const { sid, refresh_token, access_token } = await given.session(at, { sql });
    held.push({ sid, token: refresh_token, access: access_token });
  }
  await sql.end();
  return held;
}

/** Refreshes, in several tabs at once, as a client that keeps what it is given. */
async function step(fleet: Fleet, held: Held, tabs = 2): Promise<void> {
  const answers = await Promise.all(
    Array.from({ length: tabs }, () => api(fleet.nextUrl()).rest.refresh(held.token)),
  );
  const tokens = answers.map(requireTokens);
  expect(new Set(tokens.map(({ refresh_token }) => refresh_token)).size).toBe(1);
  const [first] = tokens;
  held.token = first?.refresh_token ?? "";
  held.access = first?.access_token ?? "";
}

/** How many refreshes the instances have left to each of the stores. */
async function decidedBy(fleet: Fleet, store: "redis" | "postgres"): Promise<number> {
  let sum = 0;
  for (const member of fleet.members()) {
    for (const line of (await readMetrics(member)).split("\n")) {
      if (line.startsWith("countersign_refreshes_total{") && line.includes(`store="${store}"`)) {
        sum += Number(line.split(" ").at(-1));
      }
    }
  }
  return sum;
}

describe.each([
  ["a cluster of three masters and three replicas", startRedisCluster],
  ["a master behind three sentinels", startRedisSentinel],
  ["TLS", startRedisTls],
] as const)("over %s", (what, start) => {
  test(
    "parallel refreshes have one successor, lost answers are answered again, and what has ended stays ended",
    async () => {
      await withFleet(start, async (fleet) => {
        const held = await begin(fleet, sizeOf(6, 60));
        for (const one of held) {
          const first = one.token;
          await step(fleet, one, parallel);
          expect(readRefreshToken(one.token).generation).toBe(1n);
          const again = { ...one, token: first };
          await step(fleet, again);
          expect(again.token).toBe(one.token);
          expect(await api(fleet.nextUrl()).rest.me(one.access)).toMatchObject({ status: 200 });
        }
        expect(await decidedBy(fleet, "redis")).toBeGreaterThan(0);
        const [ended, ...others] = held;
        expect((await api(fleet.nextUrl()).rest.logout(ended?.token ?? "")).status).toBe(204);
        expect(await api(fleet.nextUrl()).rest.refresh(ended?.token ?? "")).toMatchObject({ status: 401 });
        for (const one of others) await step(fleet, one);
        printFigures(`sessions over ${what}`, {
          sessions: held.length,
          "by Redis": await decidedBy(fleet, "redis"),
          "by PostgreSQL": await decidedBy(fleet, "postgres"),
        });
      });
    },
    longTimeoutMs,
  );
});

describe.each([
  ["a cluster", startRedisCluster],
  ["sentinels", startRedisSentinel],
] as const)("a failover of %s, amid refreshes", (what, start) => {
  test(
    "logs nobody out, forks no session, and brings back nothing that has ended",
    async () => {
      await withFleet(start, async (fleet, topology) => {
        const held = await begin(fleet, sizeOf(10, 100));
        const ended = await begin(fleet, sizeOf(4, 40));
        for (const one of [...held, ...ended]) await step(fleet, one);
        for (const one of held) await step(fleet, one);
        for (const { token } of ended) {
          expect((await api(fleet.nextUrl()).rest.logout(token)).status).toBe(204);
        }
        const failingOver = topology.failOver();
        // Refreshes go on meanwhile.
        for (const one of held) await step(fleet, one);
        await failingOver;
        const probes = await begin(fleet, 1);
        await retry(60_000, async () => {
          const before = await decidedBy(fleet, "redis");
          for (const probe of probes) await step(fleet, probe, 4);
          return (await decidedBy(fleet, "redis")) > before ? true : null;
        });
        for (const one of held) {
          await step(fleet, one);
          expect(readRefreshToken(one.token).generation).toBe(4n);
          expect(await api(fleet.nextUrl()).rest.me(one.access)).toMatchObject({ status: 200 });
        }
        for (const { token } of ended) {
          expect(await api(fleet.nextUrl()).rest.refresh(token)).toMatchObject({
            reason: "invalid_refresh_token",
          });
        }
        const sql = await openSql(fleet.databaseUrl);
        for (const { sid } of held) expect(await readSession(sql, sid)).toMatchObject({ ended: false });
        await sql.end();
        printFigures(`failover of ${what}`, { sessions: held.length, ended: ended.length });
      });
    },
    longTimeoutMs,
  );
});
