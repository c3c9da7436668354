import { execFile, execFileSync } from "node:child_process";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Counts, type Send, sendLoad, usualConnections } from "./load.ts";

/** What sends the requests. */
export interface Generators {
  readonly name: string;
  readonly send: Send;
}

const run = promisify(execFile);
const programs = ["wrk", "h2load"];

/**
 * Takes wrk and h2load where the machine has both; else installs autocannon into a folder, at the version of
 * bench/load/package.json, and takes it for HTTP/1.1 and node:http2 for gRPC.
 *
 * @throws Error where npm cannot install it
 */
export async function chooseGenerators(folder: string): Promise<Generators> {
  if (programs.every(isInstalled)) return { name: "wrk and h2load", send: sendLoad };
  await cp(join(import.meta.dirname, "..", "load"), folder, { recursive: true });
  await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: folder });
  return {
    name: "autocannon and node:http2, which are slower than wrk and h2load",
    send: async (port, load, seconds, connections = usualConnections) => {
      const script = join(folder, load.protocol === "http1" ? "autocannon.js" : "http2.js");
      const plan = JSON.stringify({ port, load, seconds, connections });
      const { stdout } = await run(process.execPath, [script, plan]);
      return JSON.parse(stdout) as Counts;
    },
  };
}

function isInstalled(program: string): boolean {
  try {
    execFileSync("which", [program], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
