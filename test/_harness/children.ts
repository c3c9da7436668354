import { readdirSync, readFileSync } from "node:fs";

/** The processes that a process has started and that run, by a part of their command line. */
export function findChildren(parent: number, commandPart: string): number[] {
  return readdirSync("/proc")
    .filter((id) => /^\d+$/.test(id))
    .map(Number)
    .filter(
      (id) =>
        Number(/^PPid:\s*(\d+)/m.exec(read(`/proc/${id}/status`))?.[1]) === parent &&
        isRunning(id) &&
        read(`/proc/${id}/cmdline`).replaceAll("\0", " ").includes(commandPart),
    );
}

/** The workers of a service. */
export function findWorkers(service: { readonly pid: number }): number[] {
  return findChildren(service.pid, " worker ");
}

/** Whether a process runs. One that has ended, and that nobody has asked after yet, is a zombie. */
export function isRunning(pid: number): boolean {
  const status = read(`/proc/${pid}/status`);
  return status !== "" && !/^State:\s*Z/m.test(status);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
