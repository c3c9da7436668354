import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { eventually } from "./eventually.ts";
import { freePort } from "./ports.ts";
import { startRedis, type TestRedis } from "./redis.ts";

const run = promisify(execFile);

/** Redis with replicas, for tests. */
export interface TestRedisTopology {
  readonly url: string;
  /** What to trust it by, where it speaks TLS; null elsewhere. */
  readonly caFile: string | null;
  /** Its data servers that run, the masters first as they were at the start. */
  readonly servers: readonly TestRedis[];
  /** Kills a master with SIGKILL, and resolves when a replica has taken its place. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

const settleTimeoutMs = 60_000;

/** A cluster of three masters with a replica each, on loopback. */
export async function startRedisCluster(): Promise<TestRedisTopology> {
  const servers = await Promise.all(Array.from({ length: 6 }, () => startClusterNode()));
  const [first, ...others] = servers;
  if (first === undefined) throw new Error("There is no node.");
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  try {
    const addresses = servers.map(({ port }) => `127.0.0.1:${port}`);
    const create = ["--cluster", "create", ...addresses, "--cluster-replicas", "1", "--cluster-yes"];
    // By itself it waits without end where a node forgets a handshake.
    await run("redis-cli", create, { timeout: settleTimeoutMs });
    await Promise.all(servers.map(({ port }) => untilCluster(port, (info) => /cluster_state:ok/.test(info))));
    await Promise.all(servers.map(({ port }) => failOverQuickly(port)));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `redis+cluster://127.0.0.1:${first.port},127.0.0.1:${others[0]?.port}`,
    caFile: null,
    servers,
    async failOver() {
      await first.kill9();
      const observer = others[0];
      await untilCluster(
        observer?.port ?? 0,
        (info) => /cluster_state:ok/.test(info),
        async (redis) => {
          const nodes = String(await redis.cluster("NODES"));
          const masters = nodes
            .split("\n")
            .filter((line) => /\bmaster\b/.test(line) && !/\bfail\b/.test(line));
          return masters.filter((line) => /connected \d/.test(line)).length === 3;
        },
      );
    },
    stop,
  };
}

async function startClusterNode(): Promise<TestRedis> {
  const args = [
    "--cluster-enabled",
    "yes",
    "--cluster-port",
    String(await freePort()),
    "--cluster-replica-validity-factor",
    "0",
  ];
  return startRedis({ args });
}

/** A master with two replicas, watched by three sentinels. */
export async function startRedisSentinel(): Promise<TestRedisTopology> {
  const master = await startRedis();
  const replicaOf = ["--replicaof", "127.0.0.1", String(master.port)];
  const replicas = [await startRedis({ args: replicaOf }), await startRedis({ args: replicaOf })];
  const sentinels: TestRedis[] = [];
  const folder = await mkdtemp(join(tmpdir(), "countersign-test-sentinel-"));
  const stop = async () => {
    await Promise.all([...sentinels, ...replicas, master].map((server) => server.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilReplicas(master.port, replicas.length);
    for (let index = 0; index < 3; index += 1) {
      const file = join(folder, `${index}.conf`);
      const watch = [
        `sentinel monitor main 127.0.0.1 ${master.port} 2`,
        "sentinel down-after-milliseconds main 1000",
        "sentinel failover-timeout main 4000",
        "",
      ];
      await writeFile(file, watch.join("\n"));
      sentinels.push(await startRedis({ configFile: file, args: ["--sentinel"] }));
    }
    await Promise.all(sentinels.map(({ port }) => untilSentinelSees(port, replicas.length)));
  } catch (error) {
    await stop();
    throw error;
  }
  const ports = sentinels.map(({ port }) => `127.0.0.1:${port}`);
  return {
    url: `redis+sentinel://${ports.join(",")}/main`,
    caFile: null,
    servers: [master, ...replicas],
    async failOver() {
      await master.kill9();
      await until(async () => {
        const address = await ask(sentinels[0]?.port ?? 0, (redis) =>
          redis.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"),
        );
        return Array.isArray(address) && address[1] !== String(master.port);
      });
    },
    stop,
  };
}

/** A server that speaks TLS alone, by a certificate of its own. */
export async function startRedisTls(): Promise<TestRedisTopology> {
  const folder = await mkdtemp(join(tmpdir(), "countersign-test-redis-tls-"));
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  await run("openssl", [
    ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1".split(" "),
    "-keyout",
    key,
    "-out",
    cert,
    ...subject,
  ]);
  const port = await freePort();
  const server = await startRedis({
    port,
    tls: { caFile: cert },
    args: [
      ...`--port 0 --tls-port ${port} --tls-auth-clients no`.split(" "),
      "--tls-cert-file",
      cert,
      "--tls-key-file",
      key,
      "--tls-ca-cert-file",
      cert,
    ],
  });
  return {
    url: `rediss://127.0.0.1:${port}`,
    caFile: cert,
    servers: [server],
    failOver: () => Promise.reject(new Error("There is nothing to fail over to.")),
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Lets a node take another for dead after a short while. Only once the cluster stands: a handshake is forgotten after
 * as long, which a busy machine may need, and nobody repeats it.
 */
async function failOverQuickly(port: number): Promise<void> {
  const answer = await ask(port, (redis) => redis.config("SET", "cluster-node-timeout", "1500"));
  if (answer !== "OK") throw new Error("A node of the tests' cluster does not take its timeout.");
}

async function untilCluster(
  port: number,
  holds: (info: string) => boolean,
  and: (redis: Redis) => Promise<boolean> = () => Promise.resolve(true),
): Promise<void> {
  await until(() => ask(port, async (redis) => holds(await redis.cluster("INFO")) && (await and(redis))));
}

async function untilReplicas(port: number, count: number): Promise<void> {
  await until(async () => {
    const info = String(await ask(port, (redis) => redis.info("replication")));
    return info.split("\n").filter((line) => /^slave\d+:.*state=online/.test(line)).length === count;
  });
}

async function untilSentinelSees(port: number, replicas: number): Promise<void> {
  await until(async () => {
    const seen = await ask(port, (redis) => redis.call("SENTINEL", "REPLICAS", "main"));
    const others = await ask(port, (redis) => redis.call("SENTINEL", "SENTINELS", "main"));
    return Array.isArray(seen) && seen.length === replicas && Array.isArray(others) && others.length === 2;
  });
}

/** Asks one server by a connection of its own. */
async function ask<T>(port: number, question: (redis: Redis) => Promise<T>): Promise<T | null> {
  const redis = new Redis({ port, host: "127.0.0.1", lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    return await question(redis);
  } catch {
    return null;
  } finally {
    redis.disconnect();
  }
}

function until(holds: () => Promise<unknown>): Promise<void> {
  return eventually(async () => (await holds()) === true, settleTimeoutMs, 50);
}
