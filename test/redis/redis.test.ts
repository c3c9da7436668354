import { afterEach, describe, expect, test } from "@jest/globals";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { parseRedisUrl } from "../../src/lib/redis-url.ts";
import { connectRedis } from "../../src/redis/connect.ts";
import { createRedis, type RedisClient, type RedisScript } from "../../src/redis/redis.ts";
import { eventually } from "../_harness/eventually.ts";
import { startRedis } from "../_harness/redis.ts";
import { startRedisCluster, startRedisSentinel, startRedisTls } from "../_harness/redis-topologies.ts";

const increment = script('return redis.call("INCRBY", KEYS[1], ARGV[1])');
const broken = script('return redis.call("INCR", KEYS[1], "one too many")');

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

describe.each([
  ["a cluster", startRedisCluster],
  ["sentinels", startRedisSentinel],
  ["TLS", startRedisTls],
  ["one server", () => startRedis().then((redis) => ({ ...redis, caFile: null }))],
])("over %s", (_, start) => {
  test("scripts run on all keys, are sent once and then named, and results keep their kinds", async () => {
    const { client } = await open(await start());
    const keys = Array.from({ length: 40 }, (__, index) => `key-${index}`);
    for (const key of keys) expect(await client.run(increment, key, [2])).toBe(2);
    for (const key of keys) expect(await client.run(increment, key, [3])).toBe(5);
    expect(await client.run(script('return { "text", 7, { ARGV[1] } }'), "key", ["a"])).toEqual([
      "text",
      7,
      ["a"],
    ]);
    await expect(client.check()).resolves.toBeUndefined();
  });
});

test.each([
  ["a cluster", startRedisCluster],
  ["sentinels", startRedisSentinel],
])("%s: all keys are served again after a failover", async (_, start) => {
  const topology = await start();
  const { client } = await open(topology);
  const keys = Array.from({ length: 40 }, (__, index) => `key-${index}`);
  await topology.failOver();
  await eventually(async () => {
    const outcomes = await Promise.allSettled(keys.map((key) => client.run(increment, key, [1])));
    return outcomes.every(({ status }) => status === "fulfilled");
  }, 30_000);
  // The other sentinels may tell of the same failover again.
  let count: unknown = null;
  await eventually(async () => {
    count = await client.run(increment, "key-0", [1]).catch(() => null);
    return count !== null;
  }, 30_000);
  expect(count).toBeGreaterThan(1);
});

describe("a server that is away", () => {
  test("costs one call its failure; then nobody asks until it is back, which is noticed without a call", async () => {
    const server = await startRedis();
    const { client, changes, calls } = await open(server);
    await client.run(increment, "key", [1]);
    await server.kill9();
    await expect(client.run(increment, "key", [1])).rejects.toMatchObject({ reason: "unavailable" });
    expect(changes).toEqual([["", false]]);
    const asked = calls.length;
    for (let count = 0; count < 20; count += 1) {
      await expect(client.run(increment, "key", [1])).rejects.toMatchObject({ reason: "unavailable" });
    }
    expect(calls).toHaveLength(asked);
    const again = await startRedis({ port: server.port });
    cleanups.push(() => again.stop());
    await eventually(() => changes.length === 2, 10_000);
    expect(changes).toEqual([
      ["", false],
      ["", true],
    ]);
    expect(await client.run(increment, "key", [1])).toBe(1);
  });

  test("that hangs costs one deadline, and is asked again when it goes on", async () => {
    const server = await startRedis();
    const { client, changes } = await open(server);
    await client.run(increment, "key", [1]);
    process.kill(server.pid, "SIGSTOP");
    cleanups.push(() => void process.kill(server.pid, "SIGCONT"));
    await expect(client.run(increment, "key", [1])).rejects.toMatchObject({ reason: "unavailable" });
    expect(changes).toEqual([["", false]]);
    await expect(client.run(increment, "key", [1])).rejects.toMatchObject({ reason: "unavailable" });
    process.kill(server.pid, "SIGCONT");
    await eventually(() => changes.at(-1)?.[1] === true, 10_000);
    expect(await client.run(increment, "key", [1])).toBeGreaterThan(1);
  });

  test("is not what a busy event loop makes of one that has answered", async () => {
    const { client, changes } = await open(await startRedis(), { timeoutMs: 100 });
    await client.run(increment, "key", [1]);
    const answers = Array.from({ length: 20 }, () => client.run(increment, "key", [1]));
    // The requests leave, the answers arrive, and nobody reads them until long after the deadline.
    await new Promise((resolve) => setImmediate(resolve));
    for (const until = performance.now() + 400; performance.now() < until; );
    expect(await Promise.all(answers)).toContain(21);
    expect(changes).toEqual([]);
  });

  test("is taken for away while it takes no writes", async () => {
    const master = await startRedis();
    cleanups.push(() => master.stop());
    const replica = await startRedis({ args: ["--replicaof", "127.0.0.1", String(master.port)] });
    const { client, changes } = await open(replica);
    await expect(client.run(increment, "key", [1])).rejects.toMatchObject({ reason: "unavailable" });
    expect(changes).toEqual([["", false]]);
    await command(replica.port, "REPLICAOF", "NO", "ONE");
    await eventually(() => changes.at(-1)?.[1] === true, 10_000);
    expect(await client.run(increment, "key", [1])).toBe(1);
  });

  test("in a cluster is the affair of its own keys", async () => {
    const cluster = await startRedisCluster();
    const { client, changes } = await open(cluster);
    const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`);
    for (const key of keys) await client.run(increment, key, [1]);
    const [stopped] = cluster.servers;
    process.kill(stopped?.pid ?? 0, "SIGSTOP");
    cleanups.push(() => void process.kill(stopped?.pid ?? 0, "SIGCONT"));
    const outcomes = await Promise.allSettled(keys.map((key) => client.run(increment, key, [1])));
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(["fulfilled", "rejected"]));
    expect(changes).toEqual([[`127.0.0.1:${stopped?.port}`, false]]);
  });
});

test("a driver that has given up is started again, and not after it was closed", async () => {
  const server = await startRedis();
  cleanups.push(() => server.stop());
  const target = parseRedisUrl(server.url);
  if (target === null) throw new Error("The address of the tests' Redis is none.");
  const connection = connectRedis(target, { caFile: null, timeoutMs: 1000, reconnect: true });
  await once(connection.driver, "ready");
  connection.driver.disconnect();
  await once(connection.driver, "ready");
  expect(await connection.driver.ping()).toBe("PONG");
  connection.close();
  await once(connection.driver, "end");
  // sleep: it would connect again.
  await delay(500);
  expect(connection.driver.status).toBe("end");
});

test("a script's own failure is no reason to keep from its server", async () => {
  const { client, changes } = await open(await startRedis());
  await expect(client.run(broken, "key", [])).rejects.toMatchObject({ reason: "unavailable" });
  expect(changes).toEqual([]);
  expect(await client.run(increment, "key", [1])).toBe(1);
});

test("a script that the server has forgotten is sent again", async () => {
  const server = await startRedis();
  const { client } = await open(server);
  await client.run(increment, "key", [1]);
  await command(server.port, "SCRIPT", "FLUSH");
  expect(await client.run(increment, "key", [1])).toBe(2);
});

test("all keys begin with the prefix", async () => {
  const server = await startRedis();
  const { client } = await open(server);
  await client.run(increment, "key", [1]);
  expect(await command(server.port, "KEYS", "*")).toEqual(["test:key"]);
});

/** A client of a server, which ends with the test. */
async function open(
  server: { readonly url: string; readonly caFile?: string | null; stop(): Promise<void> },
  { timeoutMs = 1000 }: { readonly timeoutMs?: number } = {},
) {
  cleanups.push(() => server.stop());
  const target = parseRedisUrl(server.url);
  if (target === null) throw new Error("The address of the tests' Redis is none.");
  const changes: [string, boolean][] = [];
  const calls: boolean[] = [];
  const client: RedisClient = createRedis({
    target,
    caFile: server.caFile ?? null,
    keyPrefix: "test:",
    timeoutMs,
    observer: {
      onBreaker: (node, closed) => void changes.push([node, closed]),
      onCall: (_, succeeded) => void calls.push(succeeded),
    },
  });
  cleanups.push(() => client.close());
  await client.firstConnection(20_000);
  return { client, changes, calls };
}

async function command(port: number, name: string, ...args: string[]): Promise<unknown> {
  const redis = new Redis({ port, host: "127.0.0.1" });
  try {
    return await redis.call(name, ...args);
  } finally {
    redis.disconnect();
  }
}

function script(lua: string): RedisScript {
  return { name: "test", lua, sha1: createHash("sha1").update(lua).digest("hex") };
}
