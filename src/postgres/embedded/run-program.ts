import { spawn } from "node:child_process";

/** The user that a program is run under, for child_process.spawn; `switchTo` is empty for the present user. */
export interface RunAs {
  readonly switchTo: { readonly uid: number; readonly gid: number } | Record<string, never>;
}

/** How a program ended; `code` is -1 if it could not be started or was ended by a signal. */
export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The whole environment of every child. The service's is not passed on: it holds secrets (which the other user
 * could read in /proc) and PG* variables (which would change what the programs do).
 */
export const childEnv = { LC_ALL: "C", TZ: "UTC", PATH: "/usr/local/bin:/usr/bin:/bin" };

/**
 * Runs a program to its end under another user.
 *
 * @param input is written to its standard input, which is where secrets go
 * @returns the result; a program that cannot be started is a result too, with the reason in stderr
 */
export function runProgram(
  program: string,
  args: readonly string[],
  user: RunAs,
  input = "",
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    // From "/", since the other user may not be able to enter the working directory; in its own session,
    // so that Ctrl-C on the terminal reaches only the service.
    const child = spawn(program, args, { ...user.switchTo, cwd: "/", env: childEnv, detached: true });
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
    child.on("error", (error) => resolve({ code: -1, stdout: "", stderr: error.message }));
    child.on("close", (code) => resolve({ code: code ?? -1, ...output }));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}
