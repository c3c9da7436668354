import {
  type Argon2Implementation,
  argon2Implementations,
  type ComputeArgon2,
} from "./argon2-implementations.ts";
import type { Argon2Work } from "./hash-work.ts";
import { findWrongAnswer } from "./known-answers.ts";

/** How the implementations did. */
export interface Argon2Report {
  /** The one that is used. */
  readonly implementation: string;
  /** The processor's time for the trial's hash with each that is sound, in milliseconds, the fastest first. */
  readonly trials: readonly { readonly implementation: string; readonly ms: number }[];
  /** Those that computed something else than Argon2id. What this machine lacks is not among them. */
  readonly unsound: readonly string[];
}

/** The fastest sound implementation. */
export interface ChosenArgon2 {
  readonly compute: ComputeArgon2;
  readonly report: Argon2Report;
}

const rounds = 2;

const memoryMaxKib = 65_536;

/**
 * Finds the fastest implementation that gives the known answers. They take turns, so that a machine whose
 * speed drifts drifts for all, and the quickest run of each counts.
 *
 * @param memoryKib the memory of the hashes to come: how a block of such a size is had is part of the cost
 * @throws Error where none is sound
 */
export async function chooseArgon2(
  memoryKib: number,
  implementations: readonly Argon2Implementation[] = argon2Implementations,
): Promise<ChosenArgon2> {
  const trial = createTrial(Math.min(memoryKib, memoryMaxKib));
  const unsound: string[] = [];
  const sound: { implementation: string; compute: ComputeArgon2; ms: number }[] = [];
  for (const implementation of implementations) {
    const { name } = implementation;
    const compute = await implementation.load().catch(() => null);
    if (compute === null) continue;
    if ((await findWrongAnswer(compute)) !== null) unsound.push(name);
    else sound.push({ implementation: name, compute, ms: Number.POSITIVE_INFINITY });
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const candidate of sound) {
      candidate.ms = Math.min(candidate.ms, await time(candidate.compute, trial));
    }
  }
  sound.sort((one, other) => one.ms - other.ms);
  const [fastest] = sound;
  if (fastest === undefined) throw new Error("no implementation of Argon2id gives the known answers here");
  const trials = sound.map(({ implementation, ms }) => ({ implementation, ms }));
  return { compute: fastest.compute, report: { implementation: fastest.implementation, trials, unsound } };
}

function createTrial(memoryKib: number): Argon2Work {
  const [password, salt] = [Buffer.from("a trial"), Buffer.alloc(16, 1)];
  const cost = { memoryKib: Math.max(8, memoryKib), iterations: 1, parallelism: 1 };
  return { kind: "argon2id", password, salt, secret: null, hashBytes: 32, ...cost };
}

/** By the processor's time: a busy machine interrupts, and would spoil the choice. */
async function time(compute: ComputeArgon2, trial: Argon2Work): Promise<number> {
  const before = process.cpuUsage();
  await compute(trial);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
