import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { bundleService } from "./bundle-service.ts";
import { startTestCluster } from "./postgres.ts";
import { startRedis } from "./redis.ts";

/**
 * Starts what every test of the run shares: one PostgreSQL, in which each makes its own databases, one
 * Redis, the service's modules joined into few files, and a folder where Node keeps their compiled code.
 */
export default async function globalSetup(): Promise<void> {
  const [cluster, redis, bundle] = await Promise.all([startTestCluster(), startRedis(), bundleService()]);
  process.env["TEST_POSTGRES_URL"] = cluster.url;
  process.env["TEST_REDIS_URL"] = redis.url;
  process.env["TEST_SERVICE_BUNDLE"] = bundle;
  const compileCache = await mkdtemp(join(tmpdir(), "countersign-test-compile-cache-"));
  process.env["TEST_COMPILE_CACHE"] = compileCache;
  const stopShared = async () => {
    await Promise.all([cluster.stop(), redis.stop()]);
    await rm(dirname(bundle), { recursive: true, force: true });
    await rm(compileCache, { recursive: true, force: true });
  };
  Object.assign(globalThis, { stopShared });
}
