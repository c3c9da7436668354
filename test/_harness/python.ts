import { execFile } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { installDebianPackages } from "./debian-package.ts";

// Debian's own, whatever else is first on the PATH: its packages are what is installed.
const python = "/usr/bin/python3";

/** A Python with modules that come from Debian packages. */
export interface Python {
  /**
   * Runs a program with this standard input.
   *
   * @returns its standard output
   * @throws where it ends with anything but 0
   */
  run(program: string, input: string, args?: readonly string[]): Promise<string>;
}

/**
 * Finds Debian's Python with modules, and installs what is missing where that can be done.
 *
 * @param modules what is imported, and the package that brings it
 * @throws Error saying what to install
 */
export async function findPython(modules: Readonly<Record<string, string>>): Promise<Python> {
  const packages = ["python3", ...Object.values(modules)];
  const importAll = `import ${Object.keys(modules).join(", ")}`;
  const check = () => promisify(execFile)(python, ["-c", importAll]);
  try {
    await check();
  } catch {
    await installDebianPackages(packages, `This test needs ${python} with: ${packages.join(", ")}.`);
    await check();
  }
  return { run: runPython };
}

async function runPython(program: string, input: string, args: readonly string[] = []): Promise<string> {
  const running = promisify(execFile)(python, ["-c", program, ...args], { timeout: 20_000 });
  running.child.stdin?.end(input);
  const [{ stdout }] = await Promise.all([running, once(running.child, "close")]);
  return stdout;
}
