import type { Argon2Report } from "./choose-argon2.ts";
import { endOf, firstMessage, forkApart } from "./fork-apart.ts";
import type { Argon2Cost } from "./hash-work.ts";

/**
 * Chooses the implementation of Argon2id in a process of its own, and ends that: its trials take memory that some
 * implementations keep.
 *
 * @param atOnce how many hashes will run at once
 * @param signal ends the process before it has chosen
 * @throws Error if none is correct, or if the process does not answer in time
 */
export async function chooseApart(
  cost: Argon2Cost,
  atOnce: number,
  signal?: AbortSignal,
): Promise<Argon2Report> {
  signal?.throwIfAborted();
  const { memoryKib, iterations, parallelism } = cost;
  const child = forkApart("choice.ts", [atOnce, memoryKib, iterations, parallelism].map(String), atOnce);
  const name = "the process that chooses the implementation of Argon2id";
  const end = (): void => void child.kill("SIGKILL");
  signal?.addEventListener("abort", end);
  try {
    return (await firstMessage(child, endOf(child), name)) as Argon2Report;
  } finally {
    signal?.removeEventListener("abort", end);
    end();
  }
}
