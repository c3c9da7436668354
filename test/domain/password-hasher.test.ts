import { describe, expect, test } from "@jest/globals";
import { ownWork } from "../../src/domain/password/admission.ts";
import { createHashQueue } from "../../src/domain/password/hash-queue.ts";
import { createPasswordHasher } from "../../src/domain/password/password-hasher.ts";
import { createPeppers } from "../../src/domain/password/peppers.ts";
import { createLazyHashEngine } from "../../src/hashing/hash-engine.ts";

const engine = createLazyHashEngine({ memoryKib: 64, iterations: 1, parallelism: 1 });
const cheap = { memoryKib: 64, iterations: 1, parallelism: 1 };
const oldPepper = "old-pepper-old-pepper-old-pepper-old";
const newPepper = "new-pepper-new-pepper-new-pepper-new";

function hasherWith(cost = cheap, peppers: readonly string[] = []) {
  const queue = createHashQueue({ concurrency: 2, queueMax: 10, waitMaxMs: 60_000 });
  return createPasswordHasher({ cost, peppers: createPeppers(peppers), engine, queue });
}

describe("hashing a password", () => {
  test("makes a new salt each time, and recognises the password and no other", async () => {
    const hasher = hasherWith();
    const [one, two] = [await hasher.hash("hunter22", ownWork), await hasher.hash("hunter22", ownWork)];
    expect(one.phc).not.toBe(two.phc);
    expect(await hasher.verify(one, "hunter22", ownWork)).toBe(true);
    expect(await hasher.verify(one, "hunter23", ownWork)).toBe(false);
  });

  test("verifies a hash of another cost, and knows that it is outdated", async () => {
    const old = await hasherWith({ ...cheap, iterations: 2 }).hash("hunter22", ownWork);
    const hasher = hasherWith();
    expect(await hasher.verify(old, "hunter22", ownWork)).toBe(true);
    expect(hasher.isOutdated(old)).toBe(true);
    expect(hasher.isOutdated(await hasher.hash("hunter22", ownWork))).toBe(false);
  });

  test("mixes in the pepper, keeps its id beside the hash, and lets it be changed", async () => {
    const before = await hasherWith(cheap, [oldPepper]).hash("hunter22", ownWork);
    expect(before.pepperId).toMatch(/^[0-9a-f]{8}$/);
    const after = hasherWith(cheap, [newPepper, oldPepper]);
    expect(await after.verify(before, "hunter22", ownWork)).toBe(true);
    expect(after.isOutdated(before)).toBe(true);
    expect(await hasherWith().verify({ ...before, pepperId: null }, "hunter22", ownWork)).toBe(false);
  });

  test("fails loudly where the pepper of a hash has been dropped", async () => {
    const before = await hasherWith(cheap, [oldPepper]).hash("hunter22", ownWork);
    await expect(hasherWith(cheap, [newPepper]).verify(before, "hunter22", ownWork)).rejects.toThrow(
      "PASSWORD_PEPPER",
    );
  });
});

/** Made by other systems; the password is `correct horse`. */
const imported = {
  bcrypt: "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
  scrypt: "$scrypt$ln=10,r=8,p=1$c2l4dGVlbiBieXRlIHNsdA$pm8pKHMuzBMnzWjY+J2K8bOo4zfV05STJL8ONhhN0II",
};

describe("hashes that another system has made", () => {
  test.each(Object.entries(imported))("are verified: %s", async (_name, phc) => {
    const hasher = hasherWith(cheap, [newPepper]);
    const stored = { phc, pepperId: null };
    expect(await hasher.verify(stored, "correct horse", ownWork)).toBe(true);
    expect(await hasher.verify(stored, "correct mule", ownWork)).toBe(false);
    expect(hasher.isOutdated(stored)).toBe(true);
  });

  test("are known in all the spellings of bcrypt but the one that marks a mistake", async () => {
    const hasher = hasherWith();
    for (const version of ["2a", "2b", "2y"]) {
      const stored = { phc: imported.bcrypt.replace("2b", version), pepperId: null };
      expect(await hasher.verify(stored, "correct horse", ownWork)).toBe(true);
    }
    const mistaken = { phc: imported.bcrypt.replace("2b", "2x"), pepperId: null };
    await expect(hasher.verify(mistaken, "correct horse", ownWork)).rejects.toThrow("cannot be read");
  });
});
