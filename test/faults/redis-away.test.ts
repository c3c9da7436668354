import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import { readRefreshToken, requireTokens, type Tokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { type CuttingProxy, startCuttingProxy } from "../_harness/cutting-proxy.ts";
import { eventually } from "../_harness/eventually.ts";
import { longTimeoutMs, printFigures, sizeOf } from "../_harness/figures.ts";
import * as given from "../_harness/given.ts";
import { freePort } from "../_harness/ports.ts";
import { startRedis, type TestRedis } from "../_harness/redis.ts";
import { readRefreshEvents } from "../_harness/rows/audit.ts";
import { endSessions, forgetRotations, readHandleHash } from "../_harness/rows/sessions.ts";
import { startService, type TestService } from "../_harness/service.ts";
import {
  openSessionStores,
  readRecord,
  type SessionStores,
  storeEnv,
  writeRecord,
} from "../_harness/session-stores.ts";

// Hundreds of logins are not what is tested here.
const cheapHashes = { ARGON2_MEMORY_KIB: "64", ARGON2_ITERATIONS: "1" };

let folder: string;
let redis: TestRedis;
/** Before the Redis of the first service alone: the second has a Redis that the first has lost. */
let proxy: CuttingProxy;
let service: TestService;
let other: TestService;
let stores: SessionStores;
let control: Redis;

async function startOwnRedis(port: number): Promise<void> {
  redis = await startRedis({ port, args: ["--dir", folder] });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-test-redis-away-"));
  await startOwnRedis(await freePort());
  proxy = await startCuttingProxy(redis.port);
  const shared = storeEnv("Redis and PostgreSQL", redis.url);
  const env = { ...cheapHashes, ISSUER: "http://localhost:8080", ...shared };
  service = await startService({
    env: { ...env, REDIS_URL: proxy.url.replace("http:", "redis:"), REDIS_TIMEOUT: "1s" },
  });
  other = await startService({ env: { ...env, DATABASE_URL: service.databaseUrl, REDIS_TIMEOUT: "1s" } });
  stores = await openSessionStores(service.databaseUrl, shared);
  control = new Redis(redis.url, { maxRetriesPerRequest: null });
  control.on("error", () => undefined);
}, longTimeoutMs);
afterAll(async () => {
  control.disconnect();
  await stores.close();
  await other.stop();
  await service.stop();
  await proxy.close();
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Held {
  readonly sid: string;
  token: string;
  access: string;
}

async function begin(): Promise<Held> {
  const { sid, refresh_token, access_token } = await given.session(service, { sql: stores.sql });
  return { sid, token: refresh_token, access: access_token };
}

async function beginMany(count: number): Promise<Held[]> {
  const held: Held[] = [];
  while (held.length < count) held.push(await begin());
  return held;
}

/** Refreshes, as a client that keeps what it is given. */
async function step(held: Held, url = service.url): Promise<void> {
  const tokens: Tokens = requireTokens(await api(url).rest.refresh(held.token));
  held.token = tokens.refresh_token;
  held.access = tokens.access_token;
}

const generationOf = ({ token }: Held) => readRefreshToken(token).generation;

/** Lets every instance find out that Redis is there again. */
async function untilRedisServes(url = service.url): Promise<void> {
  const probe = await begin();
  await eventually(async () => {
    await step(probe, url);
    await stores.ageRotations(probe.sid, 61);
    const record = await control.get(await stores.recordKey(probe.sid));
    return record !== null && readRecord(record).generation === generationOf(probe);
  }, 60_000);
}

async function expectOneLine(held: readonly Held[]): Promise<void> {
  for (const one of held) {
    // What Redis has forgotten, a process may be about to bring to PostgreSQL.
    await eventually(async () => (await stores.readSession(one.sid)).generation === generationOf(one));
    expect(await stores.readSession(one.sid)).toEqual({ generation: generationOf(one), ended: false });
    expect(await api(service).rest.me(one.access)).toMatchObject({ status: 200 });
  }
}

async function eventsOf(sid: string): Promise<unknown[]> {
  const rows = await readRefreshEvents(stores.sql, sid);
  return rows.map(({ type, reason }) => `${type} ${reason ?? ""}`.trim());
}

const faults: Readonly<Record<string, { begin(): Promise<unknown>; end(): Promise<unknown> }>> = {
  "cannot be reached": {
    begin: () => redis.kill9(),
    end: () => startOwnRedis(redis.port),
  },
  hangs: {
    begin: () => Promise.resolve(process.kill(redis.pid, "SIGSTOP")),
    end: () => Promise.resolve(process.kill(redis.pid, "SIGCONT")),
  },
  "refuses connections": {
    begin: async () => {
      await control.config("SET", "maxclients", "1");
      await control.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    },
    end: () => control.config("SET", "maxclients", "10000"),
  },
  "answers errors": {
    begin: () => control.call("ACL", "SETUSER", "default", "-@scripting"),
    end: () => control.call("ACL", "SETUSER", "default", "+@all"),
  },
  "is full": {
    begin: () => control.config("SET", "maxmemory", "1"),
    end: () => control.config("SET", "maxmemory", "0"),
  },
  "is read-only": {
    begin: async () => control.replicaof("127.0.0.1", await freePort()),
    end: () => control.replicaof("NO", "ONE"),
  },
  "loses every answer": {
    begin: () => Promise.resolve((proxy.isCutting = true)),
    end: () => Promise.resolve((proxy.isCutting = false)),
  },
};

describe.each(Object.entries(faults))("while Redis %s", (what, fault) => {
  test(
    "logins and refreshes go on by PostgreSQL, nobody is logged out, and afterwards Redis serves again",
    async () => {
      const held = await beginMany(sizeOf(5, 50));
      for (const one of held) await step(one);
      await fault.begin();
      let late: Held[] = [];
      try {
        for (const one of held) {
          const replayed = { ...one };
          await step(one);
          // A lost answer's retry gets the same.
          await step(replayed);
          expect(replayed.token).toBe(one.token);
        }
        late = await beginMany(2);
        for (const one of late) await step(one);
      } finally {
        await fault.end();
      }
      await untilRedisServes();
      for (const one of [...held, ...late]) await step(one);
      await expectOneLine([...held, ...late]);
      printFigures(`Redis ${what}`, { sessions: held.length + late.length });
    },
    longTimeoutMs,
  );
});

describe("when Redis forgets everything", () => {
  test(
    "amid refreshes nobody is logged out, and tokens older than PostgreSQL knows stay refused",
    async () => {
      const held = await beginMany(sizeOf(40, 1000));
      const firsts = held.map(({ token }) => token);
      const rounds = 3;
      for (let round = 0; round < rounds; round += 1) {
        const flushAt = Math.floor(held.length / 2);
        for (const [index, one] of held.entries()) {
          await step(one, index % 2 === 0 ? service.url : other.url);
          if (index === flushAt) {
            await control.flushall();
          }
        }
      }
      await expectOneLine(held);
      for (const one of held) expect(generationOf(one)).toBe(BigInt(rounds));
      for (const { sid } of held) await stores.ageRotations(sid, 61);
      await control.flushall();
      const thieves = firsts.slice(0, sizeOf(10, 100));
      for (const [index, token] of thieves.entries()) {
        expect(await api(service).rest.refresh(token)).toMatchObject({ reason: "invalid_refresh_token" });
        // It was reuse, and found out though Redis knew nothing.
        expect(await api(service).rest.refresh(held[index]?.token ?? "")).toMatchObject({ status: 401 });
      }
      for (const one of held.slice(thieves.length)) await step(one);
      printFigures("FLUSHALL", { sessions: held.length, flushes: rounds, "reuses found": thieves.length });
    },
    longTimeoutMs,
  );
});

describe("when Redis comes back with an old snapshot", () => {
  const snapshot = () => join(folder, "dump.rdb");
  const kept = () => join(folder, "kept.rdb");

  async function takeSnapshot(): Promise<void> {
    await control.save();
    await copyFile(snapshot(), kept());
  }

  async function restoreSnapshot(): Promise<void> {
    await redis.kill9();
    await copyFile(kept(), snapshot());
    await startOwnRedis(redis.port);
    await eventually(() => control.status === "ready", 30_000);
  }

  test(
    "nobody is logged out, no session forks, and what has ended stays ended",
    async () => {
      const held = await beginMany(sizeOf(10, 200));
      const ended = await beginMany(sizeOf(4, 40));
      for (const one of [...held, ...ended]) await step(one);
      await takeSnapshot();
      for (let count = 0; count < 3; count += 1) for (const one of held) await step(one);
      // By an instance, and past all of them.
      const [byInstance, past] = [ended.slice(0, ended.length / 2), ended.slice(ended.length / 2)];
      for (const { token } of byInstance) expect((await api(service).rest.logout(token)).status).toBe(204);
      for (const { sid } of held) await stores.settled(sid);
      await restoreSnapshot();
      const pastIds = past.map(({ sid }) => sid);
      await endSessions(stores.sql, pastIds);
      await untilRedisServes();
      for (const { token } of ended) {
        expect(await api(service).rest.refresh(token)).toMatchObject({ reason: "invalid_refresh_token" });
      }
      for (const one of held) {
        await stores.ageRotations(one.sid, 61);
        const before = one.token;
        await step(one);
        const again = { ...one, token: before };
        await step(again, other.url);
        expect(again.token).toBe(one.token);
        expect(generationOf(one)).toBe(5n);
      }
      await expectOneLine(held);
      printFigures("an old snapshot of Redis", { sessions: held.length, ended: ended.length });
    },
    longTimeoutMs,
  );

  test(
    "the same, while one instance has lost Redis and the other has not",
    async () => {
      const held = await beginMany(sizeOf(6, 100));
      for (const one of held) await step(one);
      await takeSnapshot();
      for (const one of held) await stores.settled(one.sid);
      proxy.isCutting = true;
      try {
        for (const [index, one] of held.entries()) {
          await step(one, index % 2 === 0 ? service.url : other.url);
          await step(one, index % 2 === 0 ? other.url : service.url);
        }
        for (const { sid } of held) await stores.settled(sid);
        await restoreSnapshot();
        for (const one of held) await step(one, other.url);
      } finally {
        proxy.isCutting = false;
      }
      await untilRedisServes();
      for (const one of held) {
        await stores.ageRotations(one.sid, 61);
        await step(one);
        await step(one, other.url);
      }
      await expectOneLine(held);
      printFigures("an old snapshot, one instance without Redis", { sessions: held.length });
    },
    longTimeoutMs,
  );
});

describe("a thief at generation g, while the victim is at g+5", () => {
  async function beginStolen(): Promise<{ readonly victim: Held; readonly stolen: string }> {
    const victim = await begin();
    await step(victim);
    const stolen = victim.token;
    for (let count = 0; count < 5; count += 1) {
      await stores.ageRotations(victim.sid, 20);
      await step(victim);
    }
    await stores.settled(victim.sid);
    return { victim, stolen };
  }

  async function expectCaught({ victim, stolen }: { victim: Held; stolen: string }): Promise<void> {
    const refused = { status: 401, reason: "invalid_refresh_token", tokens: null };
    expect(await api(service).rest.refresh(stolen)).toMatchObject(refused);
    expect(await stores.readSession(victim.sid)).toEqual({ generation: 6n, ended: true });
    expect(await api(other).rest.refresh(victim.token)).toMatchObject({ status: 401 });
    expect(await eventsOf(victim.sid)).toEqual(["refresh.reused reused"]);
  }

  test("gets nothing from a Redis that was emptied, and the session is dead", async () => {
    const session = await beginStolen();
    await control.flushall();
    await expectCaught(session);
  });

  test("gets nothing while Redis is cut off, and the session is dead", async () => {
    const session = await beginStolen();
    proxy.isCutting = true;
    try {
      await expectCaught(session);
    } finally {
      proxy.isCutting = false;
    }
  });

  test("gets nothing from an old state of Redis in which its token is the current one, and the session is dead", async () => {
    await untilRedisServes();
    const victim = await begin();
    await step(victim);
    const stolen = victim.token;
    const key = await stores.recordKey(victim.sid);
    const old = readRecord((await control.get(key)) ?? "");
    expect(old.generation).toBe(1n);
    for (let count = 0; count < 5; count += 1) {
      await stores.ageRotations(victim.sid, 20);
      await step(victim);
    }
    await stores.settled(victim.sid);
    // As old as everything else is by now.
    const rotatedAtMs = old.rotatedAtMs.map((time) => (time === 0 ? 0 : time - 100_000));
    await control.set(key, writeRecord({ ...old, rotatedAtMs }));
    await expectCaught({ victim, stolen });
  });

  test("goes on by itself only where both stores have lost the victim's rotations, and the victim's next refresh leaves the thief nothing", async () => {
    const { victim, stolen } = await beginStolen();
    await stores.loseRotations(victim.sid, 5);
    const thief = { ...victim, token: stolen };
    await step(thief);
    expect(generationOf(thief)).toBe(2n);
    // The victim's token is newer than the stores: they catch up. There is one current token, and the thief holds an older one.
    await step(victim);
    expect(generationOf(victim)).toBe(7n);
    expect(await api(service).rest.refresh(thief.token)).toMatchObject({ reason: "invalid_refresh_token" });
    expect(await api(other).rest.refresh(victim.token)).toMatchObject({ status: 401 });
    expect(await eventsOf(victim.sid)).toEqual(["refresh.caught_up", "refresh.reused reused"]);
  });

  test("within the grace gets the current token, and is on the victim's line, not on one of its own", async () => {
    const { victim } = await beginStolen();
    const thief = { ...victim };
    await stores.ageRotations(victim.sid, 61);
    await step(victim);
    await control.flushall();
    await step(thief);
    expect(thief.token).toBe(victim.token);
  });
});

describe("a token that PostgreSQL accepted though Redis had rotated it out more than a grace before", () => {
  /** Redis has rotated once, PostgreSQL was never told, and the first instance has lost Redis. */
  async function diverge(): Promise<{ readonly victim: Held; readonly thief: Held }> {
    await untilRedisServes(other.url);
    const victim = await begin();
    const stolen = victim.token;
    await step(victim, other.url);
    await stores.settled(victim.sid);
    await forgetRotations(stores.sql, victim.sid);
    const key = await stores.recordKey(victim.sid);
    const record = readRecord((await control.get(key)) ?? "");
    const [, , , time = 0] = record.rotatedAtMs;
    await control.set(key, writeRecord({ ...record, rotatedAtMs: [0, 0, 0, time - 120_000] }));
    const thief = { ...victim, token: stolen };
    proxy.isCutting = true;
    try {
      await step(thief);
    } finally {
      proxy.isCutting = false;
    }
    expect(thief.token).toBe(victim.token);
    return { victim, thief };
  }

  test("is reuse when the two meet at a refresh: the session ends, and the audit trail says why", async () => {
    const { victim, thief } = await diverge();
    expect(await api(other).rest.refresh(victim.token)).toMatchObject({ reason: "invalid_refresh_token" });
    expect(await api(service).rest.refresh(thief.token)).toMatchObject({ status: 401 });
    expect(await eventsOf(victim.sid)).toEqual(["refresh.reused diverged"]);
  });

  test(
    "is reuse when the two meet in the background",
    async () => {
      const { victim } = await diverge();
      const hash = await readHandleHash(stores.sql, victim.sid);
      const [prefix = ""] = (await stores.recordKey(victim.sid)).split("session:");
      // As a process leaves it behind that was killed.
      await control.zadd(
        `${prefix}unsaved:${hash.readUInt8(0) % 16}`,
        1,
        `${hash.toString("base64url")}:killed`,
      );
      await eventually(async () => (await eventsOf(victim.sid)).length > 0, 60_000);
      expect(await eventsOf(victim.sid)).toEqual(["refresh.reused diverged"]);
      expect(await api(service).rest.refresh(victim.token)).toMatchObject({ status: 401 });
    },
    longTimeoutMs,
  );
});
