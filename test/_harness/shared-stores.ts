import { createTestDatabase, type TestDatabase } from "./postgres.ts";

/** An empty database in the PostgreSQL of the run. */
export function createSharedDatabase(): Promise<TestDatabase> {
  return createTestDatabase({ url: required("TEST_POSTGRES_URL") });
}

/** The Redis of the run. */
export function sharedRedisUrl(): string {
  return required("TEST_REDIS_URL");
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: the global setup has not run`);
  return value;
}
