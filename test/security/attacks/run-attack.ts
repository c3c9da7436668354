import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** An attack that is under way. */
export interface Attack {
  /** Ends it, and its connections. */
  end(): Promise<void>;
}

/**
 * Starts an attack (attack.ts) as a process of its own, and waits until it has sent what it has.
 *
 * @param address where it comes from: all of 127.0.0.0/8 is ours
 */
export async function startAttack(name: string, port: number, address: string): Promise<Attack> {
  const program = join(import.meta.dirname, "attack.ts");
  const child = spawn(process.execPath, [program, name, String(port), address], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  await Promise.race([once(child.stdout, "data"), exited]);
  if (child.exitCode !== null) throw new Error(`The attack "${name}" has failed.`);
  return {
    async end() {
      child.stdin.end();
      await exited;
    },
  };
}
