import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { readRefreshToken, requireTokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { eventually } from "../_harness/eventually.ts";
import { longTimeoutMs, printFigures, sizeOf } from "../_harness/figures.ts";
import { type Fleet, startFleet } from "../_harness/fleet.ts";
import * as given from "../_harness/given.ts";
import { readMetric } from "../_harness/metrics.ts";
import {
  endSessions,
  haveRotatedOnce,
  limitIdle,
  readIdleLimit,
  readSession,
} from "../_harness/rows/sessions.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSessionStores, readRecord, type SessionStores, storeEnv } from "../_harness/session-stores.ts";

// its own SQL: one row is to be refused by a constraint.

const env = {
  ...storeEnv("Redis and PostgreSQL"),
  ISSUER: "http://localhost:8080",
  ARGON2_MEMORY_KIB: "64",
  ARGON2_ITERATIONS: "1",
};

let fleet: Fleet;
let stores: SessionStores;
beforeAll(async () => {
  fleet = await startFleet(2, { env });
  stores = await openSessionStores(fleet.databaseUrl, env);
}, longTimeoutMs);
afterAll(async () => {
  await stores.close();
  await fleet.stop();
});

interface Held {
  readonly sid: string;
  readonly token: string;
}

async function begin(count: number): Promise<Held[]> {
  const held: Held[] = [];
  while (held.length < count) {
    const at = { url: fleet.nextUrl(), databaseUrl: fleet.databaseUrl };
    const { sid, refresh_token } = await given.session(at, { sql: stores.sql });
    held.push({ sid, token: refresh_token });
  }
  return held;
}

/** Refreshes all at once by one instance, and answers as soon as all are answered. */
async function refreshAll(url: string, held: readonly Held[]): Promise<Held[]> {
  const answers = await Promise.all(held.map(({ token }) => api(url).rest.refresh(token)));
  return answers.map((answer, index) => ({
    sid: held[index]?.sid ?? "",
    token: requireTokens(answer).refresh_token,
  }));
}

async function unsaved(held: readonly Held[]): Promise<number> {
  let count = 0;
  for (const { sid, token } of held) {
    const { generation } = await readSession(stores.sql, sid);
    if (generation < readRefreshToken(token).generation) count += 1;
  }
  return count;
}

/** Of how many sessions Redis knows more than PostgreSQL. */
async function ahead(held: readonly Held[]): Promise<number> {
  let count = 0;
  for (const { sid } of held) {
    const record = (await stores.redis?.get(await stores.recordKey(sid))) ?? null;
    const { generation } = await readSession(stores.sql, sid);
    if (record !== null && readRecord(record).generation > generation) count += 1;
  }
  return count;
}

describe("what Redis has moved on", () => {
  test(
    "is brought to PostgreSQL behind the answer",
    async () => {
      const [instance = ""] = fleet.urls();
      const held = await refreshAll(instance, await begin(sizeOf(10, 200)));
      for (const { sid } of held) await stores.settled(sid);
      expect(await unsaved(held)).toBe(0);
      const ids = held.map(({ sid }) => sid);
      expect(await haveRotatedOnce(stores.sql, ids)).toBe(true);
    },
    longTimeoutMs,
  );

  test(
    "is found and brought to PostgreSQL by another instance when the one that moved it is killed",
    async () => {
      const batch = sizeOf(20, 200);
      let left = 0;
      // A process may have been fast enough to leave nothing behind.
      for (let round = 0; left === 0 && round < 10; round += 1) {
        const held = await begin(batch);
        const [instance] = fleet.members();
        const refreshing = held.map(({ token }) => api(instance?.url ?? "").rest.refresh(token));
        const all = Promise.allSettled(refreshing);
        await Promise.race(refreshing);
        await instance?.end("SIGKILL");
        left = await ahead(held);
        await all;
        for (const { sid } of held) await stores.settled(sid);
        expect(await ahead(held)).toBe(0);
        await fleet.replace(0);
      }
      expect(left).toBeGreaterThan(0);
      // What is saved is no longer written down as unsaved.
      const unsavedKeys = async () => (await stores.redis?.keys(`${stores.keyPrefix}unsaved:*`)) ?? [];
      await eventually(async () => (await unsavedKeys()).length === 0, 60_000);
      printFigures("sweeper", { "left by a killed process": left });
    },
    longTimeoutMs,
  );

  test(
    "is brought to PostgreSQL at SIGTERM, before the process ends",
    async () => {
      const one: TestService = await startService({ env: { ...env, DATABASE_URL: fleet.databaseUrl } });
      let held = await begin(sizeOf(20, 200));
      try {
        held = await refreshAll(one.url, held);
        expect(await one.end("SIGTERM")).toBe(0);
        expect(await unsaved(held)).toBe(0);
      } finally {
        await one.stop();
      }
    },
    longTimeoutMs,
  );

  test("of one session is dropped and told where PostgreSQL refuses it, and that of others is brought there", async () => {
    const [instance] = fleet.members();
    if (instance === undefined) throw new Error("There is no instance.");
    const held = await begin(6);
    const { sid = "", token = "" } = held[3] ?? {};
    await stores.sql.query(
      `alter table sessions add constraint refused check (id <> '${sid}' or generation = 0) not valid`,
    );
    try {
      const next = await refreshAll(instance.url, held);
      const others = held.filter((one) => one.sid !== sid);
      for (const one of others) await stores.settled(one.sid);
      await eventually(
        async () => (await readMetric(instance, "countersign_write_behind_refused_total")) === 1,
        30_000,
      );
      expect(await readSession(stores.sql, sid)).toMatchObject({ generation: 0n });
      expect(await readMetric(instance, "countersign_write_behind_sessions")).toBe(0);
      const lines = instance
        .logs()
        .filter(({ msg }) => String(msg).startsWith("PostgreSQL refuses a rotation from Redis"));
      expect(lines).toMatchObject([{ level: "error", err: { code: "23514" } }]);
      // It is not written down as unsaved any more, so that nobody is told of it again.
      const unsaved = await stores.redis?.keys(`${stores.keyPrefix}unsaved:*`);
      expect(unsaved).toEqual([]);
      // Redis still knows it.
      const mine = next.filter((one) => one.sid === sid);
      expect(readRefreshToken(mine[0]?.token ?? "").generation).toBe(1n);
      requireTokens(await api(instance).rest.refresh(token));
    } finally {
      await stores.sql.query("alter table sessions drop constraint refused");
    }
    // With its next rotation PostgreSQL knows all.
    const [last] = await refreshAll(instance.url, [{ sid, token }]);
    await refreshAll(instance.url, last === undefined ? [] : [last]);
    await stores.settled(sid);
    expect(await readSession(stores.sql, sid)).toMatchObject({ generation: 2n });
  }, 120_000);

  test("never brings a session back that has ended", async () => {
    const [one] = await begin(1);
    if (one === undefined) throw new Error("There is no session.");
    const [instance = "", other = ""] = fleet.urls();
    const [next] = await refreshAll(instance, [one]);
    await endSessions(stores.sql, [one.sid]);
    expect(await stores.readSession(one.sid)).toMatchObject({ ended: true });
    for (const token of [one.token, next?.token ?? ""]) {
      expect(await api(other).rest.refresh(token)).toMatchObject({ reason: "invalid_refresh_token" });
    }
  });

  test("keeps a session alive that PostgreSQL, told too late, would take for idle", async () => {
    const [one] = await begin(1);
    if (one === undefined) throw new Error("There is no session.");
    // Near the end of its idle lifetime, the answer waits for PostgreSQL.
    await limitIdle(stores.sql, one.sid, 20 * 60);
    const [instance = ""] = fleet.urls();
    await refreshAll(instance, [one]);
    expect((await readIdleLimit(stores.sql, one.sid)).daysLeft).toBeGreaterThan(29);
  });
});

describe("a session's record in Redis", () => {
  test(
    "takes at most 400 bytes, and no more after 1,000 refreshes",
    async () => {
      const service = await startService({
        env: { ...env, DATABASE_URL: fleet.databaseUrl, REFRESH_GRACE: "1ms" },
      });
      try {
        const [one] = await begin(1);
        if (one === undefined) throw new Error("There is no session.");
        const bytes = async () =>
          Number(await stores.redis?.memory("USAGE", await stores.recordKey(one.sid)));
        const refreshes = sizeOf(100, 1000);
        let [next] = await refreshAll(service.url, [one]);
        const first = await bytes();
        for (let count = 1; count < refreshes; count += 1) {
          [next] = await refreshAll(service.url, next === undefined ? [] : [next]);
        }
        expect(readRefreshToken(next?.token ?? "").generation).toBe(BigInt(refreshes));
        const last = await bytes();
        expect(last).toBeLessThanOrEqual(400);
        expect(last).toBe(first);
        // It dies by itself.
        expect(await stores.redis?.pttl(await stores.recordKey(one.sid))).toBeGreaterThan(0);
        printFigures("MEMORY USAGE of a session's record", { first, [`after ${refreshes} refreshes`]: last });
      } finally {
        await service.stop();
      }
    },
    longTimeoutMs,
  );
});
