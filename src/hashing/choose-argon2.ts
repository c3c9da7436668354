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
/** One that takes so many times as long as the fastest runs no further rounds. */
const hopelessFactor = 1.5;
// A start does not wait for more.
const memoryMaxKib = 65_536;
const iterationsMax = 3;

/**
 * Finds the fastest implementation that gives the known answers. They take turns, so that a machine whose
 * speed drifts drifts for all, and the quickest run of each counts. Each runs as many hashes at once as will run later:
 * what they cost one another in memory is part of their cost.
 *
 * @param cost of the hashes to come: to have the memory costs some implementations more than a pass over it, which
 *   costs others more
 * @param atOnce how many hashes will run at once
 * @throws Error if none is sound
 */
export async function chooseArgon2(
  cost: Argon2Cost,
  atOnce = 1,
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
      candidate.ms = Math.min(candidate.ms, await time(candidate.compute, trial, atOnce));
    }
    const fastestMs = Math.min(...racing.map(({ ms }) => ms));
    racing = racing.filter(({ ms }) => ms <= hopelessFactor * fastestMs);
  }
  sound.sort((one, other) => one.ms - other.ms);
  const [fastest] = sound;
  if (fastest === undefined) throw noneIsSound();
  const trials = sound.map(({ implementation, ms }) => ({ implementation, ms }));
  return { compute: fastest.compute, report: { implementation: fastest.implementation, trials, unsound } };
}

/**
 * Loads the first implementation in the list that this machine has and that gives the known answers: usually the fastest.
 *
 * @throws Error if none is sound
 */
export async function loadUsualArgon2(
  implementations: readonly Argon2Implementation[] = argon2Implementations,
): Promise<{ readonly name: string; readonly compute: ComputeArgon2 }> {
  for (const implementation of implementations) {
    const compute = await implementation.load().catch(() => null);
    if (compute !== null && (await findWrongAnswer(compute)) === null) {
      return { name: implementation.name, compute };
    }
  }
  throw noneIsSound();
}

/**
 * Loads the implementation of this name.
 *
 * @throws Error if this machine lacks it, or if it does not give the known answers
 */
export async function loadArgon2(name: string): Promise<ComputeArgon2> {
  const implementation = argon2Implementations.find((each) => each.name === name);
  if (implementation === undefined) throw new Error(`there is no implementation of Argon2id named ${name}`);
  const compute = await implementation.load();
  const wrong = await findWrongAnswer(compute);
  if (wrong !== null) throw new Error(`${name} does not give the known answers of Argon2id`);
  return compute;
}

function noneIsSound(): Error {
  return new Error("no implementation of Argon2id gives the known answers here");
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

/** Measures the processor time of one hash: interruptions on a busy machine would distort wall time. */
async function time(compute: ComputeArgon2, trial: Argon2Work, atOnce: number): Promise<number> {
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: atOnce }, () => compute(trial)));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / atOnce;
}
