import { once } from "node:events";
import type { Argon2Report } from "./choose-argon2.ts";
import { forkApart } from "./fork-apart.ts";
import type { Argon2Cost } from "./hash-work.ts";

const timeoutMs = 60_000;

/**
 * Chooses the implementation of Argon2id in a process that ends with the choice: its trials take memory that some
 * implementations keep.
 *
 * @param atOnce how many hashes will run at once
 * @throws Error if none is sound, or if the process does not answer in time
 */
export async function chooseApart(cost: Argon2Cost, atOnce: number): Promise<Argon2Report> {
  const child = forkApart("choice.ts", [atOnce, ...costOf(cost)].map(String), atOnce);
  const answer = once(child, "message", { signal: AbortSignal.timeout(timeoutMs) });
  const end = once(child, "exit").then(([code, signal]) => `${signal ?? `exit code ${code}`}`);
  try {
    const first = await Promise.race([answer, end]);
    if (typeof first === "string") {
      throw new Error(
        `no implementation of Argon2id could be chosen; the process that tries them ended: ${first}`,
      );
    }
    return first[0] as Argon2Report;
  } finally {
    answer.catch(() => undefined);
    child.kill("SIGKILL");
  }
}

function costOf({ memoryKib, iterations, parallelism }: Argon2Cost): number[] {
  return [memoryKib, iterations, parallelism];
}
