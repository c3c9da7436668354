import { startTestCluster } from "./postgres.ts";
import { startRedis } from "./redis.ts";

/** Starts what every test of the run shares: one PostgreSQL, in which each makes its own databases, and one Redis. */
export default async function globalSetup(): Promise<void> {
  const [cluster, redis] = await Promise.all([startTestCluster(), startRedis()]);
  process.env["TEST_POSTGRES_URL"] = cluster.url;
  process.env["TEST_REDIS_URL"] = redis.url;
  const stopTestStores = () => Promise.all([cluster.stop(), redis.stop()]);
  Object.assign(globalThis, { stopTestStores });
}
