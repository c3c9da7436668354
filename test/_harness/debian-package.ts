import { execFile } from "node:child_process";
import { access, rm, writeFile } from "node:fs/promises";
import { promisify } from "node:util";

/**
 * Installs packages of Debian and its kin, as root. Services that they bring are not started.
 *
 * @param advice what the error says where that cannot be done: what to install by hand
 * @throws Error with the advice
 */
export async function installDebianPackages(packages: readonly string[], advice: string): Promise<void> {
  if (process.geteuid?.() !== 0 || !(await exists("/usr/bin/apt-get"))) {
    throw new Error(advice);
  }
  const removePolicy = await forbidServices();
  try {
    await aptGet("install", "-y", "--no-install-recommends", ...packages).catch(async () => {
      await aptGet("update");
      await aptGet("install", "-y", "--no-install-recommends", ...packages);
    });
  } catch (error) {
    throw new Error(advice, { cause: error });
  } finally {
    await removePolicy();
  }
}

/** Whether there is such a file. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Debian starts a service as it installs it, unless this file says no (101); an existing one is left. */
async function forbidServices(): Promise<() => Promise<void>> {
  const policy = "/usr/sbin/policy-rc.d";
  try {
    await writeFile(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755, flag: "wx" });
    return () => rm(policy, { force: true });
  } catch {
    return () => Promise.resolve();
  }
}

async function aptGet(...args: string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  // Others may install at the same time: wait for them.
  await promisify(execFile)("apt-get", ["-q", "-o", "DPkg::Lock::Timeout=120", ...args], { env });
}
