import type { Log } from "../ops/logger.ts";
import { warn, warnOnce } from "./warn.ts";

/** What is done again and again beside the requests. */
export interface Upkeep {
  /** Deletes what is long dead. */
  sweep(): Promise<unknown>;
  /** Learns which signing keys other instances and commands have made and dropped. */
  refreshKeys(): Promise<unknown>;
  /** Learns which hashes the users have, so that a name that does not exist costs the same. */
  refreshDecoys(): Promise<unknown>;
  /** Folds names anew that an earlier version has folded in another way; once. */
  refoldNames(): Promise<readonly string[]>;
}

const decoyPeriodMs = 300_000;
const sweepPeriodMs = 3_600_000;
// A dropped key is refused, and a new one known, after two of these at most.
const keyPeriodMs = 1_000;

/** Starts the upkeep; resolves when the decoys are known. What fails is told, and tried again. */
export async function startUpkeep(log: Log, upkeep: Upkeep): Promise<{ stop(): void }> {
  const refreshDecoys = () =>
    upkeep.refreshDecoys().catch(warn(log, "the hash formats in use could not be counted"));
  const sweep = () => upkeep.sweep().catch(warn(log, "what is long dead could not be deleted"));
  const keysNotSeen = warnOnce(log, "the signing keys could not be looked at again");
  const refreshKeys = () => upkeep.refreshKeys().then(keysNotSeen.over, keysNotSeen.warn);
  upkeep.refoldNames().then(
    (users) => {
      if (users.length > 0) log.warn({ users }, "these users' names are others', as they are compared now");
    },
    warn(log, "names that an earlier version folded could not be looked at"),
  );
  await refreshDecoys();
  const timers = [
    setInterval(() => void refreshDecoys(), decoyPeriodMs).unref(),
    setInterval(() => void sweep(), sweepPeriodMs).unref(),
    setInterval(() => void refreshKeys(), keyPeriodMs).unref(),
  ];
  return {
    stop() {
      for (const timer of timers) clearInterval(timer);
    },
  };
}
