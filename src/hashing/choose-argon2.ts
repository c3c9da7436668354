import {
  type Argon2Implementation,
  argon2Implementations,
  type ComputeArgon2,
} from "./argon2-implementations.ts";
import type { Argon2Cost, Argon2Work } from "./hash-work.ts";
import { findWrongAnswer } from "./known-answers.ts";

/** The result of the comparison. */
export interface Argon2Report {
  /** The one that is used. */
  readonly implementation: string;
  /** The processor time of one trial hash with each correct implementation, in milliseconds, the fastest first. */
  readonly trials: readonly { readonly implementation: string; readonly ms: number }[];
  /** The implementations that fail the self-test. Those that this machine lacks are not among them. */
  readonly unsound: readonly string[];
}

/** The fastest correct implementation. */
export interface ChosenArgon2 {
  readonly compute: ComputeArgon2;
  readonly report: Argon2Report;
}

const rounds = 4;
/** An implementation that takes this many times as long as the fastest runs no further rounds. */
const hopelessFactor = 3;
// A start does not wait for more.
const memoryMaxKib = 65_536;
const iterationsMax = 3;

/**
 * Finds the fastest implementation that gives the known answers. They take turns, so that a change of the machine's
 * speed affects all of them, and the quickest run of each counts.
 *
 * @param cost of the hashes to come: allocating memory is the slow part of some implementations, passes over it that of
 *   others
 * @throws Error if none is correct
 */
export async function chooseArgon2(
  cost: Argon2Cost,
  implementations: readonly Argon2Implementation[] = argon2Implementations,
): Promise<ChosenArgon2> {
  const trial = createTrial(cost);
  const unsound: string[] = [];
  const sound: { implementation: string; compute: ComputeArgon2; ms: number }[] = [];
  for (const implementation of implementations) {
    const { name } = implementation;
    const compute = await implementation.load().catch(() => null);
    if (compute === null) continue;
    if ((await findWrongAnswer(compute)) !== null) unsound.push(name);
    else sound.push({ implementation: name, compute, ms: Number.POSITIVE_INFINITY });
  }
  let racing = sound;
  for (let round = 0; round < rounds; round += 1) {
    for (const candidate of racing) {
      candidate.ms = Math.min(candidate.ms, await time(candidate.compute, trial));
    }
    const fastestMs = Math.min(...racing.map(({ ms }) => ms));
    racing = racing.filter(({ ms }) => ms <= hopelessFactor * fastestMs);
  }
  sound.sort((one, other) => one.ms - other.ms);
  const [fastest] = sound;
  if (fastest === undefined) throw new Error("no implementation of Argon2id gives the known answers here");
  const trials = sound.map(({ implementation, ms }) => ({ implementation, ms }));
  return { compute: fastest.compute, report: { implementation: fastest.implementation, trials, unsound } };
}

function createTrial({ memoryKib, iterations, parallelism }: Argon2Cost): Argon2Work {
  return {
    kind: "argon2id",
    password: Buffer.from("a trial"),
    salt: Buffer.alloc(16, 1),
    secret: null,
    hashBytes: 32,
    memoryKib: Math.min(memoryKib, memoryMaxKib),
    iterations: Math.min(iterations, iterationsMax),
    parallelism,
  };
}

/** Measures processor time: interruptions on a busy machine would distort wall time. */
async function time(compute: ComputeArgon2, trial: Argon2Work): Promise<number> {
  const before = process.cpuUsage();
  await compute(trial);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
