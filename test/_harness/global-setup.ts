import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestCluster } from "./postgres.ts";
import { startRedis } from "./redis.ts";

/**
 * Starts what every test of the run shares: one PostgreSQL, in which each makes its own databases, one
 * Redis, and a folder where Node keeps the compiled code of the many services that are started.
 */
export default async function globalSetup(): Promise<void> {
  const [cluster, redis] = await Promise.all([startTestCluster(), startRedis()]);
  process.env["TEST_POSTGRES_URL"] = cluster.url;
  process.env["TEST_REDIS_URL"] = redis.url;
  const compileCache = await mkdtemp(join(tmpdir(), "countersign-test-compile-cache-"));
  process.env["TEST_COMPILE_CACHE"] = compileCache;
  const stopShared = async () => {
    await Promise.all([cluster.stop(), redis.stop()]);
    await rm(compileCache, { recursive: true, force: true });
  };
  Object.assign(globalThis, { stopShared });
}
