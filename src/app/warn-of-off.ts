import type { Config } from "../config/config.ts";
import { completePolicies } from "../domain/throttle/policies.ts";
import type { Log } from "../ops/logger.ts";

/** Logs which limits the configuration switches off. */
export function warnOfOff(config: Pick<Config, "throttles" | "deviceTokenTtlMs">, log: Log): void {
  const policies = completePolicies(config.throttles, config.deviceTokenTtlMs);
  const off = Object.entries(policies)
    .filter(([, rate]) => rate === null)
    .map(([name]) => name);
  if (off.length > 0) log.warn({ limits: off }, "limits are switched off");
}
