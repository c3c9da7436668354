import { delimiter, join } from "node:path";
import { exists, installDebianPackages } from "./debian-package.ts";

/**
 * Finds a program on the PATH or where Debian keeps its servers; as root on Debian and its kin, a missing
 * one is installed first.
 *
 * @param packageName the package of Debian that brings it
 * @throws Error saying what to install
 */
export async function findDebianProgram(program: string, packageName: string): Promise<string> {
  const found = await find(program);
  if (found !== null) return found;
  const advice = `This test needs ${program}: install Debian's ${packageName}, or put it on the PATH.`;
  await installDebianPackages([packageName], advice);
  const installed = await find(program);
  if (installed === null) throw new Error(advice);
  return installed;
}

async function find(program: string): Promise<string | null> {
  for (const folder of [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"]) {
    const path = join(folder, program);
    if (folder !== "" && (await exists(path))) return path;
  }
  return null;
}
