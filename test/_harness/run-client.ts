import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./service.ts";

/** How a client's process ended. */
export interface ClientRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The buf of the checkout, whose `curl` is a client written in Go. */
export const buf: string = join(root, "node_modules", ".bin", "buf");

/**
 * Runs a client in a process of its own.
 *
 * @param cwd an empty folder where left out: nothing of the checkout can help it there
 */
export async function runClient(program: string, args: readonly string[], cwd?: string): Promise<ClientRun> {
  const empty = await mkdtemp(join(tmpdir(), "countersign-test-client-"));
  try {
    return await new Promise((resolve) => {
      execFile(program, args, { cwd: cwd ?? empty, timeout: 20_000 }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ code, stdout, stderr });
      });
    });
  } finally {
    await rm(empty, { recursive: true, force: true });
  }
}
