import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What hold-database.ts says when it is ready. */
export interface HolderReport {
  readonly starts: number;
  readonly postgres: number;
  readonly folder: string;
}

/** A process that runs hold-database.ts. */
export interface Holder extends HolderReport {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Ends it with a signal and waits for its end. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** How a holder is run. */
export interface HolderOptions {
  readonly user?: { readonly uid: number; readonly gid: number };
  /** A command that runs the one that follows it in circumstances of its own. */
  readonly under?: readonly string[];
}

/** @throws Error with what it wrote to standard error, where it ended before it was ready */
export async function startHolder(dataDir: string, options: HolderOptions = {}): Promise<Holder> {
  const script = fileURLToPath(new URL("hold-database.ts", import.meta.url));
  const { under = [], user = {} } = options;
  const [program, ...args] = [...under, process.execPath, script, dataDir];
  const child = spawn(program, args, { ...user, stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const exited = once(child, "exit");
  const line = await Promise.race([
    once(child.stdout, "data").then(([chunk]) => String(chunk)),
    exited.then(() => {
      throw new Error(stderr);
    }),
  ]);
  const report = JSON.parse(line) as HolderReport;
  return {
    ...report,
    pid: child.pid ?? -1,
    child,
    async end(signal) {
      child.kill(signal);
      await exited;
    },
  };
}
