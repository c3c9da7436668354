import type { Config } from "../config/config.ts";
import type { Instances } from "../domain/instance/instances.ts";
import type { Job } from "../ops/job-runner.ts";
import type { Log } from "../ops/logger.ts";
import type { ServiceAudit } from "./build-audit.ts";
import type { Domain } from "./build-domain.ts";

/** What the jobs work on. */
export interface JobParts {
  readonly audit: ServiceAudit;
  readonly domain: Domain;
  readonly instances: Instances;
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/**
 * Everything that runs when nobody calls. At the end the jobs are ended from the last to the first: what the sessions
 * save may still count something.
 */
export function listJobs(config: Config, log: Log, { audit, domain, instances }: JobParts): Job[] {
  const { sessions, revoked, keys, users, decoys, unsaved } = domain;
  const jobs: (Job | null)[] = [
    {
      name: "audit.flush_counts",
      everyMs: second,
      run: () => audit.flushCounts(),
      end: () => audit.flushCounts(),
    },
    { name: "audit.settle_counts", everyMs: 10 * second, run: () => audit.settleCounts() },
    // Before calls are taken. Rows that found no month of their own, such as that of a first key, are moved to it.
    { name: "audit.tend_months", everyMs: hour, run: () => audit.tendMonths(), atStart: "awaited" },
    { name: "sessions.delete_dead", everyMs: hour, run: () => sessions.sweep() },
    unsaved && {
      name: "sessions.save_unsaved",
      everyMs: 10 * second,
      run: () => unsaved.sweep(),
      end: () => unsaved.saveAll(),
    },
    { name: "tokens.delete_expired", everyMs: hour, run: () => revoked.deleteExpired() },
    // A dropped key is refused, and a new one known, after two of these at most.
    { name: "keys.refresh", everyMs: second, run: () => keys.refresh() },
    // Before the first login: a name that does not exist costs what the others cost.
    {
      name: "users.count_hash_formats",
      everyMs: 5 * minute,
      run: () => users.refreshDecoys(decoys),
      atStart: "awaited",
    },
    // Once: an earlier version may have folded names in another way.
    { name: "users.refold_names", everyMs: Infinity, run: () => refoldNames(users, log), atStart: "behind" },
    // An embedded database is one instance's alone.
    config.database.url === null
      ? null
      : {
          name: "instances.beat",
          everyMs: 5 * second,
          run: () => instances.beat(),
          atStart: "behind",
          end: () => instances.leave(),
        },
  ];
  return jobs.filter((job) => job !== null);
}

async function refoldNames(users: Domain["users"], log: Log): Promise<void> {
  const clashing = await users.refoldNames();
  if (clashing.length > 0) {
    log.warn({ users: clashing }, "these users' names are others', as they are compared now");
  }
}
