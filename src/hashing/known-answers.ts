import type { ComputeArgon2 } from "./argon2-implementations.ts";
import type { Argon2Work } from "./hash-work.ts";

interface KnownAnswer {
  readonly work: Argon2Work;
  /** In hexadecimal. */
  readonly hash: string;
}

/**
 * Argon2 of version 0x13 by the reference implementation's own tests, Argon2d by its Python binding, and one with a
 * secret. The vectors of RFC 9106 section 5 have associated data, which not every library takes.
 *
 * @internal for the tests, too
 */
export const knownAnswers: readonly KnownAnswer[] = [
  {
    work: make("password", Buffer.from("somesalt"), { memoryKib: 256, iterations: 2, parallelism: 1 }),
    hash: "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe",
  },
  {
    work: make("password", Buffer.from("somesalt"), { memoryKib: 256, iterations: 2, parallelism: 2 }),
    hash: "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037",
  },
  {
    work: {
      ...make("\u0001".repeat(32), Buffer.alloc(16, 2), { memoryKib: 32, iterations: 3, parallelism: 4 }),
      secret: Buffer.alloc(8, 3),
    },
    hash: "0034de3c8a75efc1148100eaf5ba9b1ce6d50ba5cdf6ae4018c54a4fc03ac10d",
  },
  {
    work: {
      ...make("password", Buffer.from("somesalt"), { memoryKib: 256, iterations: 2, parallelism: 1 }),
      kind: "argon2i",
    },
    hash: "89e9029f4637b295beb027056a7336c414fadd43f6b208645281cb214a56452f",
  },
  {
    work: {
      ...make("password", Buffer.from("somesalt"), { memoryKib: 256, iterations: 2, parallelism: 1 }),
      kind: "argon2d",
    },
    hash: "25c4ee8ba448054b49efc804e478b9d823be1f9bd2e99f51d6ec4007a3a1501f",
  },
];

/** The first known answer that an implementation gets wrong; null if all are right. */
export async function findWrongAnswer(compute: ComputeArgon2): Promise<string | null> {
  for (const { work, hash } of knownAnswers) {
    const found = await compute(work).catch(() => null);
    if (found === null || Buffer.from(found).toString("hex") !== hash) return hash;
  }
  return null;
}

function make(
  password: string,
  salt: Buffer,
  cost: Pick<Argon2Work, "memoryKib" | "iterations" | "parallelism">,
): Argon2Work {
  return { kind: "argon2id", password: Buffer.from(password), salt, secret: null, hashBytes: 32, ...cost };
}
