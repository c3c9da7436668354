import type { ExaminedConfig } from "../../config/config.ts";
import { type Check, fail, type Finding, warn } from "./finding.ts";

/** When all checks must be done, counted from the start of the process; and the least time of one check. */
const doneByMs = 4_000;
const checkMsMin = 2_500;
/** The time of checks that measure this machine: on a slow machine they are slow, which is no failure. */
const measureMs = 15_000;

/**
 * Runs every check that the configuration allows, each within its time: those that measure this machine
 * first and alone, the rest side by side. Their findings are in the order given.
 */
export async function runChecks(checks: readonly Check[], examined: ExaminedConfig): Promise<Finding[]> {
  const findings = new Map<Check, Finding[]>();
  for (const check of checks.filter(({ runsAlone }) => runsAlone === true)) {
    findings.set(check, await runCheck(check, examined));
  }
  const rest = checks.filter((check) => !findings.has(check));
  await Promise.all(rest.map(async (check) => findings.set(check, await runCheck(check, examined))));
  return checks.flatMap((check) => findings.get(check) ?? []);
}

async function runCheck(check: Check, examined: ExaminedConfig): Promise<Finding[]> {
  const broken = check.needs.filter((name) => examined.broken.has(name));
  if (broken.length > 0) {
    return [
      warn(
        check.name,
        `not checked, since ${broken.join(" and ")} cannot be read`,
        `correct ${broken.join(", ")}`,
      ),
    ];
  }
  try {
    return await withinTime(check, examined);
  } catch (error) {
    const code = Error.isError(error) && "code" in error ? ` (${String(error.code)})` : "";
    return [
      fail(check.name, `the check itself failed${code}`, "check what it needs: rights, disk space, memory"),
    ];
  }
}

async function withinTime(check: Check, examined: ExaminedConfig): Promise<Finding[]> {
  const leftMs = Math.max(checkMsMin, Math.round(doneByMs - performance.now()));
  const checkMs = check.runsAlone === true ? measureMs : leftMs;
  const late = Promise.withResolvers<Finding[]>();
  const timer = setTimeout(() => {
    late.resolve([
      fail(
        check.name,
        `no answer within ${(checkMs / 1000).toFixed(1)} s`,
        "check whether it hangs or is overloaded",
      ),
    ]);
  }, checkMs);
  try {
    return await Promise.race([check.run(examined), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
