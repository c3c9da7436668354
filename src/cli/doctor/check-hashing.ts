import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import type { Config } from "../../config/config.ts";
import { createHashQueue } from "../../domain/password/hash-queue.ts";
import type { Argon2Cost } from "../../domain/password/password-hash.ts";
import { createPasswordHasher } from "../../domain/password/password-hasher.ts";
import { createPeppers } from "../../domain/password/peppers.ts";
import { type Check, ok, warn } from "./finding.ts";

const name = "password hashing";
const msMin = 5;
const msMax = 1_000;
const runs = 5;
/** No further run begins after this. */
const enoughMs = 250;

/** What a password hash costs on this machine, and how many logins that allows. */
export const checkHashing: Check = {
  name,
  needs: ["ARGON2_MEMORY_KIB", "ARGON2_ITERATIONS", "ARGON2_PARALLELISM", "HASH_CONCURRENCY"],
  runsAlone: true,
  run: async ({ config }) => {
    const ms = await measure(config.argon2);
    const { concurrency } = config.hashing;
    // More at once than there are cores take turns.
    const perSecond = (1000 / ms) * Math.min(concurrency, availableParallelism());
    const memoryMib = Math.ceil((concurrency * config.argon2.memoryKib) / 1024);
    const found =
      `a hash takes ${ms.toFixed(ms < 10 ? 1 : 0)} ms; ${concurrency} at once make ` +
      `${formatRate(perSecond)} logins a second, with ${memoryMib} MiB of memory`;
    if (ms < msMin) return [warn(name, found, "raise ARGON2_MEMORY_KIB: so cheap a hash is cheap to guess")];
    if (ms > msMax) {
      return [warn(name, found, "lower ARGON2_MEMORY_KIB or ARGON2_ITERATIONS: people wait for it")];
    }
    return [ok(name, found)];
  },
};

/** The quickest of a few runs. A cost that would take long is estimated: a hash cannot be called off. */
async function measure(cost: Config["argon2"]): Promise<number> {
  const small = {
    ...cost,
    memoryKib: Math.max(8 * cost.parallelism, Math.min(cost.memoryKib, 4_096)),
    iterations: 1,
  };
  const smallMs = await timeHash(small);
  const factor = (cost.memoryKib * cost.iterations) / small.memoryKib;
  if (smallMs * factor > msMax) return smallMs * factor;
  const times: number[] = [];
  const startedAt = performance.now();
  while (times.length === 0 || (times.length < runs && performance.now() - startedAt < enoughMs)) {
    times.push(await timeHash(cost));
  }
  return Math.min(...times);
}

async function timeHash(cost: Argon2Cost): Promise<number> {
  const queue = createHashQueue({ concurrency: 1, queueMax: 1 });
  const hasher = createPasswordHasher({ cost, peppers: createPeppers([]), queue });
  const startedAt = performance.now();
  await hasher.hash(randomBytes(16).toString("hex"));
  return performance.now() - startedAt;
}

function formatRate(perSecond: number): string {
  return perSecond < 10 ? perSecond.toFixed(1) : String(Math.round(perSecond));
}
