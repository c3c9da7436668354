import { argon2Sync } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import {
  type Argon2Implementation,
  argon2Implementations,
  type ComputeArgon2,
} from "../../src/hashing/argon2-implementations.ts";
import { chooseApart } from "../../src/hashing/choose-apart.ts";
import { chooseArgon2 } from "../../src/hashing/choose-argon2.ts";
import { findWrongAnswer } from "../../src/hashing/known-answers.ts";

function implementation(name: string, compute: ComputeArgon2): Argon2Implementation {
  return { name, load: () => Promise.resolve(compute) };
}

const honest: ComputeArgon2 = (work) =>
  Promise.resolve(
    argon2Sync(work.kind, {
      message: work.password,
      nonce: work.salt,
      memory: work.memoryKib,
      passes: work.iterations,
      parallelism: work.parallelism,
      tagLength: work.hashBytes,
      ...(work.secret === null ? {} : { secret: work.secret }),
    }),
  );

/** As honest as the other, and twice the work. */
const slow: ComputeArgon2 = async (work) => {
  await honest({ ...work, iterations: 4 * work.iterations });
  return honest(work);
};

const cost = { memoryKib: 4_096, iterations: 1, parallelism: 1 };

/** Computes a trial by its own means, and everything else as it should. */
function soundly(name: string, computeTrial: ComputeArgon2): Argon2Implementation {
  return implementation(name, (work) =>
    work.memoryKib === cost.memoryKib ? computeTrial(work) : honest(work),
  );
}

const ignoresSecret: ComputeArgon2 = (work) => honest({ ...work, secret: null });

describe("the choice of an Argon2id", () => {
  test("takes the fastest that gives the known answers, and names the unsound", async () => {
    const { report } = await chooseArgon2(cost, 1, [
      implementation("slow", slow),
      implementation("wrong", ignoresSecret),
      implementation("fails", () => Promise.reject(new Error("no"))),
      { name: "missing", load: () => Promise.reject(new Error("not installed")) },
      implementation("fast", honest),
    ]);
    expect(report).toEqual({
      implementation: "fast",
      trials: [
        { implementation: "fast", ms: expect.any(Number) },
        { implementation: "slow", ms: expect.any(Number) },
      ],
      unsound: ["wrong", "fails"],
    });
  });

  test("goes by the cost of the hashes to come: who is ahead after one pass can be behind after three", async () => {
    const quickToBegin: ComputeArgon2 = (work) => honest({ ...work, iterations: 3 * work.iterations });
    const slowToBegin: ComputeArgon2 = (work) => honest({ ...work, iterations: 3 + work.iterations });
    const both = [soundly("quick to begin", quickToBegin), soundly("slow to begin", slowToBegin)];
    const once = await chooseArgon2({ ...cost, iterations: 1 }, 1, both);
    expect(once.report.implementation).toBe("quick to begin");
    const thrice = await chooseArgon2({ ...cost, iterations: 3 }, 1, both);
    expect(thrice.report.implementation).toBe("slow to begin");
  });

  test("fails where none is sound", async () => {
    await expect(chooseArgon2(cost, 1, [implementation("wrong", ignoresSecret)])).rejects.toThrow("Argon2id");
  });
});

test("every implementation that this machine has gives the known answers", async () => {
  const wrong: string[] = [];
  let found = 0;
  for (const one of argon2Implementations) {
    const compute = await one.load().catch(() => null);
    if (compute === null) continue;
    found += 1;
    if ((await findWrongAnswer(compute)) !== null) wrong.push(one.name);
  }
  expect(wrong).toEqual([]);
  expect(found).toBeGreaterThanOrEqual(3);
});

test("the implementation that known answers are made with passes RFC 9106 section 5.3", () => {
  const tag = argon2Sync("argon2id", {
    message: Buffer.alloc(32, 1),
    nonce: Buffer.alloc(16, 2),
    secret: Buffer.alloc(8, 3),
    associatedData: Buffer.alloc(12, 4),
    memory: 32,
    passes: 3,
    parallelism: 4,
    tagLength: 32,
  });
  expect(tag.toString("hex")).toBe("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659");
});

test("a choice that is made while the process that asked is busy is heard", async () => {
  for (let round = 0; round < 3; round += 1) {
    const choice = chooseApart({ ...cost, memoryKib: 64 }, 1);
    // Holds the event loop up, so that the report and whatever comes after it are all there when it goes on.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000);
    const { implementation, trials } = await choice;
    expect(trials.map((trial) => trial.implementation)).toContain(implementation);
  }
});
