import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Check, Finding } from "../../src/cli/doctor/finding.ts";
import { runChecks } from "../../src/cli/doctor/run-checks.ts";
import { examineStart } from "../../src/app/read-config.ts";
import { freePort } from "../_harness/ports.ts";
import { type CommandResult, runCommand } from "../_harness/service.ts";

/** An environment of a test's own: free ports, and a DATA_DIR that is not there. */
export async function baseEnv(): Promise<Record<string, string>> {
  return {
    PATH: process.env["PATH"] ?? "",
    HOST: "127.0.0.1",
    PORT: String(await freePort()),
    OPS_PORT: String(await freePort()),
    DATA_DIR: join(tmpdir(), `countersign-doctor-${randomBytes(6).toString("hex")}`),
    ARGON2_MEMORY_KIB: "19456",
  };
}

/** Runs the doctor as a process, and reads what it prints. */
export async function diagnose(
  env: Record<string, string>,
): Promise<CommandResult & { findings: Finding[] }> {
  const result = await runCommand(["doctor", "--json"], { ...(await baseEnv()), ...env });
  const report = JSON.parse(result.stdout) as { ok: boolean; findings: Finding[] };
  if (result.stderr !== "" || report.ok !== (result.code === 0)) {
    throw new Error(`The doctor ended with ${result.code}:\n${result.stdout}${result.stderr}`);
  }
  return { ...result, findings: report.findings };
}

/** Runs one check by itself, in this process, which is quick. */
export async function look(check: Check, env: Record<string, string>): Promise<Finding[]> {
  return runChecks([check], examineStart({ ...(await baseEnv()), ...env }));
}

/** The findings of this name. */
export function about(findings: readonly Finding[], name: string): Finding[] {
  return findings.filter((finding) => finding.name === name);
}
