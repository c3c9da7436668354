import { createTestDatabase, startTestCluster, type TestCluster } from "../../test/_harness/postgres.ts";
import { startRedis, type TestRedis } from "../../test/_harness/redis.ts";
import { readFileSync } from "node:fs";
import { type ProcessTree, watchTree } from "../processes.ts";

/** The stores that all contenders share: each has a database of its own, and a database number in Redis. */
export interface BenchStores {
  /** An empty database. */
  createDatabase(): Promise<string>;
  /** The next database of Redis. */
  nextRedisUrl(): string;
  readonly postgres: ProcessTree;
  readonly redis: ProcessTree;
  stop(): Promise<void>;
}

/** Starts a durable PostgreSQL and a Redis. */
export async function startBenchStores(): Promise<BenchStores> {
  const cluster = await startTestCluster({ fsync: true, settings: { shared_buffers: "128MB" } });
  const redis = await startRedis();
  let redisDatabase = -1;
  return {
    createDatabase: async () => (await createTestDatabase(cluster)).url,
    nextRedisUrl: () => `${redis.url}/${(redisDatabase += 1)}`,
    postgres: watchTree(await findPostgresPid(cluster), "PostgreSQL"),
    redis: watchTree(redis.pid, "Redis"),
    stop: () => stop(cluster, redis),
  };
}

async function stop(cluster: TestCluster, redis: TestRedis): Promise<void> {
  await Promise.all([cluster.stop(), redis.stop()]);
}

/** The postmaster is the process that listens on the port. */
async function findPostgresPid(cluster: TestCluster): Promise<number> {
  const { Client } = await import("pg");
  const client = new Client({ connectionString: cluster.url.replace("?sslmode=disable", "") });
  await client.connect();
  try {
    const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
    const status = readFileSync(`/proc/${rows[0]?.pid}/status`, "utf8");
    return Number(/^PPid:\s*(\d+)/m.exec(status)?.[1]);
  } finally {
    await client.end();
  }
}
