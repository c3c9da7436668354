import { execFile } from "node:child_process";
import { delimiter, join } from "node:path";
import { root } from "./service.ts";

const bin = join(root, "node_modules", ".bin");

/** How a tool ended. */
export interface ToolResult {
  readonly code: number;
  /** What it printed, on either stream. */
  readonly output: string;
}

/**
 * Runs a development tool that npm has installed. It tells nobody of it.
 *
 * @param options a folder to run in, the checkout by default, and environment variables
 */
export function runTool(
  name: string,
  args: readonly string[],
  { cwd = root, env: given = {} }: { cwd?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<ToolResult> {
  const env = {
    ...process.env,
    ...given,
    PATH: [bin, process.env["PATH"]].join(delimiter),
    NO_COLOR: "1",
    REDOCLY_TELEMETRY: "off",
    REDOCLY_SUPPRESS_UPDATE_NOTICE: "true",
  };
  return new Promise((resolve) => {
    execFile(join(bin, name), args, { cwd, env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr });
    });
  });
}
