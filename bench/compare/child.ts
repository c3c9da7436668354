import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { stopAtExit } from "../stop-at-exit.ts";

/** A server of the benchmark in a process of its own. */
export interface BenchChild {
  readonly pid: number;
  /** The first line that it has printed, as JSON. */
  readonly line: unknown;
  stop(): Promise<void>;
}

/**
 * Starts a program and waits for its first line.
 *
 * @throws Error where it ends before
 */
export async function startChild(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<BenchChild> {
  const child = spawn(process.execPath, args, {
    cwd: options.cwd,
    env: { PATH: process.env["PATH"] ?? "", NODE_ENV: "production", ...options.env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (child.stdout === null) throw new Error("the program has no output");
  stopAtExit(child);
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, "exit").then(() => {
    throw new Error(`${args.join(" ")} ended before it was ready`);
  });
  const [line] = (await Promise.race([once(lines, "line"), ended])) as [string];
  ended.catch(() => undefined);
  return { pid: child.pid ?? -1, line: JSON.parse(line) as unknown, stop: () => stopChild(child) };
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await exit;
  clearTimeout(timer);
}
