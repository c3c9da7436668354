import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { Config } from "../../config/config.ts";
import { builtArgon2Path, findProcessorLevel } from "../../hashing/built-argon2.ts";
import { chooseApart } from "../../hashing/choose-apart.ts";
import type { Argon2Report } from "../../hashing/choose-argon2.ts";
import type { HashEngine } from "../../hashing/hash-work.ts";
import { startHashingProcess } from "../../hashing/hashing-process.ts";
import { exists } from "../../lib/files.ts";
import { type Check, type Finding, ok, warn } from "./finding.ts";

const name = "password hashing";
const choiceName = "Argon2id";
const msMin = 5;
const msMax = 1_000;
const runs = 5;
/** No further run begins after this. */
const enoughMs = 250;

/** Which Argon2id this machine hashes with, what a hash costs, and how many logins that allows. */
export const checkHashing: Check = {
  name,
  needs: ["ARGON2_MEMORY_KIB", "ARGON2_ITERATIONS", "ARGON2_PARALLELISM", "HASH_CONCURRENCY"],
  runsAlone: true,
  run: async ({ config }) => {
    const choice = await chooseApart(config.argon2, 1);
    const options = { threads: 1, implementation: choice.implementation, niceness: 0 };
    const events = { onLost: () => undefined, onRestarted: () => undefined };
    const hashing = await startHashingProcess(options, events);
    try {
      const ms = await measure(config.argon2, hashing);
      return [judgeCost(config, ms), await presentChoice(choice)];
    } finally {
      await hashing.stop();
    }
  },
};

function judgeCost({ argon2, hashing: { concurrency } }: Config, ms: number): Finding {
  // More at once than there are cores take turns.
  const perSecond = (1000 / ms) * Math.min(concurrency, availableParallelism());
  const memoryMib = Math.ceil((concurrency * argon2.memoryKib) / 1024);
  const found =
    `a hash takes ${ms.toFixed(ms < 10 ? 1 : 0)} ms; ${concurrency} at once make ` +
    `${formatRate(perSecond)} logins a second, with ${memoryMib} MiB of memory`;
  if (ms < msMin) return warn(name, found, "raise ARGON2_MEMORY_KIB: a cheap hash is cheap to guess");
  if (ms > msMax) {
    return warn(name, found, "lower ARGON2_MEMORY_KIB or ARGON2_ITERATIONS: users wait for each hash");
  }
  return ok(name, found);
}

async function presentChoice({ implementation, trials, unsound }: Argon2Report): Promise<Finding> {
  if (unsound.length > 0) {
    return warn(choiceName, `${unsound.join(", ")} gives wrong answers and is not used`, "run npm ci again");
  }
  const [fastest, ...others] = trials;
  const slower = others.map((other) => {
    const factor = other.ms / (fastest?.ms ?? other.ms);
    return `${other.implementation} takes ${factor.toFixed(1)} times as long`;
  });
  const faster = await describeFaster();
  return ok(choiceName, [`${implementation} is used`, ...slower, ...faster].join("; "));
}

/** A faster build for this processor that is missing. */
async function describeFaster(): Promise<string[]> {
  const level = await findProcessorLevel();
  if (level === null) return [];
  // An image holds nothing to build with.
  const canBuild = await exists(fileURLToPath(new URL("../../../scripts/build-argon2.ts", import.meta.url)));
  return !canBuild || (await exists(builtArgon2Path(level)))
    ? []
    : [`npm run build:argon2 makes a faster one for ${level}`];
}

/** The quickest of a few runs. A high cost is estimated instead: a hash cannot be cancelled. */
async function measure(cost: Config["argon2"], engine: HashEngine): Promise<number> {
  const small = {
    ...cost,
    memoryKib: Math.max(8 * cost.parallelism, Math.min(cost.memoryKib, 4_096)),
    iterations: 1,
  };
  const smallMs = await timeHash(small, engine);
  const factor = (cost.memoryKib * cost.iterations) / small.memoryKib;
  if (smallMs * factor > msMax) return smallMs * factor;
  const times: number[] = [];
  const startedAt = performance.now();
  while (times.length === 0 || (times.length < runs && performance.now() - startedAt < enoughMs)) {
    times.push(await timeHash(cost, engine));
  }
  return Math.min(...times);
}

async function timeHash(cost: Config["argon2"], engine: HashEngine): Promise<number> {
  const [password, salt] = [randomBytes(16), randomBytes(16)];
  const startedAt = performance.now();
  await engine.run({ kind: "argon2id", password, salt, secret: null, hashBytes: 32, ...cost });
  return performance.now() - startedAt;
}

function formatRate(perSecond: number): string {
  return perSecond < 10 ? perSecond.toFixed(1) : String(Math.round(perSecond));
}
