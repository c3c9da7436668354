import type { ExitCode } from "../command.ts";
import { printJson, printLine, printText } from "../output.ts";
import { examineStart } from "../../app/read-config.ts";
import { checkConfiguration } from "./check-configuration.ts";
import { checkDataDir } from "./check-data-dir.ts";
import { checkDatabase } from "./check-database.ts";
import { checkHashing } from "./check-hashing.ts";
import { checkNode } from "./check-node.ts";
import { checkPorts } from "./check-ports.ts";
import { checkRedis, checkThrottleRedis } from "./check-redis.ts";
import { checkServerUser } from "./check-server-user.ts";
import { checkTls } from "./check-tls.ts";
import type { Check, Finding } from "./finding.ts";
import { runChecks } from "./run-checks.ts";

/** The checks, in the order of the report. */
const checks: readonly Check[] = [
  checkNode,
  checkConfiguration,
  checkDataDir,
  checkPorts,
  checkTls,
  checkServerUser,
  checkDatabase,
  checkRedis,
  checkThrottleRedis,
  checkHashing,
];

/** After this time a connection that hangs is cut off. */
const lingerMs = 200;

/**
 * Checks everything that a start needs, and prints what it found.
 *
 * @returns 1 if anything failed
 */
export async function diagnose(asJson: boolean): Promise<ExitCode> {
  const findings = await runChecks(checks, examineStart());
  const exitCode: ExitCode = findings.some(({ status }) => status === "fail") ? 1 : 0;
  if (asJson) printJson({ ok: exitCode === 0, findings });
  else printFindings(findings);
  setTimeout(() => process.exit(exitCode), lingerMs).unref();
  return exitCode;
}

function printFindings(findings: readonly Finding[]): void {
  const width = Math.max(...findings.map(({ name }) => name.length));
  for (const { status, name, found, mend } of findings) {
    printLine(`${status.padEnd(4)}  ${name.padEnd(width)}  ${found}`);
    if (mend !== null) printLine(`${" ".repeat(width + 8)}-> ${mend}`);
  }
  const count = (wanted: Finding["status"]) => findings.filter(({ status }) => status === wanted).length;
  printText(`\n${count("ok")} ok, ${count("warn")} to look at, ${count("fail")} failed`);
}
