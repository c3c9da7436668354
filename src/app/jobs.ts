import type { Config } from "../config/config.ts";
import type { Instances } from "../domain/instance/instances.ts";
import type { SigningKeys } from "../domain/key/signing-keys.ts";
import type { Job } from "../ops/job-runner.ts";
import type { Log } from "../ops/logger.ts";
import type { Core } from "./core.ts";

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/**
 * Everything that runs when nobody calls. At the end the jobs are ended from the last to the first: what the sessions
 * save may still count something.
 */
export function listJobs(
  config: Config,
  log: Log,
  core: Core,
  keys: Pick<SigningKeys, "refresh">,
  heartbeat: Pick<Instances, "beat" | "leave">,
): Job[] {
  const { audit, sessions, unsaved, revoked, repeats, users, manageClients } = core;
  const jobs: (Job | null)[] = [
    ...ofEveryProcess(core, keys),
    { name: "audit.settle_counts", everyMs: 10 * second, run: () => audit.settleCounts() },
    // Before calls are taken. Rows that found no month of their own, such as that of a first key, are moved to it.
    { name: "audit.tend_months", everyMs: hour, run: () => tendMonths(audit, log), atStart: "awaited" },
    { name: "sessions.delete_dead", everyMs: hour, run: () => sessions.sweep() },
    unsaved && {
      name: "sessions.save_unsaved",
      everyMs: 10 * second,
      run: () => unsaved.sweep(),
      end: () => unsaved.saveAll(),
    },
    { name: "clients.end_sessions", everyMs: 5 * second, run: () => manageClients.finishDeletions() },
    { name: "clients.forget_deletions", everyMs: hour, run: () => manageClients.forgetDeletions() },
    { name: "tokens.delete_expired", everyMs: hour, run: () => revoked.deleteExpired() },
    { name: "repeats.delete_expired", everyMs: hour, run: () => repeats.deleteExpired() },
    // Once: an earlier version may have folded names in another way.
    { name: "users.refold_names", everyMs: Infinity, run: () => refoldNames(users, log), atStart: "behind" },
    // An embedded database is one instance's alone.
    config.database.url === null
      ? null
      : {
          name: "instances.beat",
          everyMs: 5 * second,
          run: () => heartbeat.beat(),
          atStart: "behind",
          end: () => heartbeat.leave(),
        },
  ];
  return jobs.filter((job) => job !== null);
}

/** The work of a worker: what concerns its own memory. Its supervisor does the rest, once for all. */
export function listWorkerJobs(core: Core, keys: Pick<SigningKeys, "refresh">): Job[] {
  const { unsaved } = core;
  const saveAtEnd = unsaved && {
    name: "sessions.save_unsaved",
    everyMs: Infinity,
    run: () => Promise.resolve(),
    end: () => unsaved.saveAll(),
  };
  return [...ofEveryProcess(core, keys), ...(saveAtEnd === null ? [] : [saveAtEnd])];
}

function ofEveryProcess({ audit, users, decoys }: Core, keys: Pick<SigningKeys, "refresh">): Job[] {
  return [
    {
      name: "audit.flush_counts",
      everyMs: second,
      run: () => audit.flushCounts(),
      end: () => audit.flushCounts(),
    },
    // A dropped key is refused, and a new one known, after two of these at most.
    { name: "keys.refresh", everyMs: second, run: () => keys.refresh() },
    // Before the first login: a name that does not exist costs what the others cost.
    {
      name: "users.count_hash_formats",
      everyMs: 5 * minute,
      run: () => users.refreshDecoys(decoys),
      atStart: "awaited",
    },
  ];
}

async function tendMonths(audit: Core["audit"], log: Log): Promise<void> {
  const dropped = await audit.tendMonths();
  if (dropped.length > 0) {
    log.info({ partitions: dropped }, "audit partitions beyond AUDIT_RETENTION were dropped");
  }
}

async function refoldNames(users: Core["users"], log: Log): Promise<void> {
  const clashing = await users.refoldNames();
  if (clashing.length > 0) {
    log.warn({ users: clashing }, "some users have names that now count as the same as others'; rename them");
  }
}
