import type { Fault } from "./fault.ts";
import { faultsOfPostgres } from "./faults-of-postgres.ts";
import { faultsOfRedis } from "./faults-of-redis.ts";
import { faultsOfService } from "./faults-of-service.ts";

/** The rows of the table, in its order. */
export const faults: readonly Fault[] = [...faultsOfPostgres, ...faultsOfRedis, ...faultsOfService];
