import type { Policies } from "../domain/throttle/policies.ts";
import type { Log } from "../ops/logger.ts";

/** Logs which limits are switched off. */
export function warnOfOff(policies: Policies, log: Log): void {
  const off = Object.entries(policies)
    .filter(([, rate]) => rate === null)
    .map(([name]) => name);
  if (off.length > 0) log.warn({ limits: off }, "limits are switched off");
}
