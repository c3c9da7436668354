import { describe, expect, test } from "@jest/globals";
import { createHashQueue } from "../../src/domain/password/hash-queue.ts";
import { createPasswordHasher } from "../../src/domain/password/password-hasher.ts";
import { createPeppers } from "../../src/domain/password/peppers.ts";

const cheap = { memoryKib: 64, iterations: 1, parallelism: 1 };
const oldPepper = "old-pepper-old-pepper-old-pepper-old";
const newPepper = "new-pepper-new-pepper-new-pepper-new";

function hasherWith(cost = cheap, peppers: readonly string[] = []) {
  const queue = createHashQueue({ concurrency: 2, queueMax: 10 });
  return createPasswordHasher({ cost, peppers: createPeppers(peppers), queue });
}

describe("hashing a password", () => {
  test("makes a new salt each time, and recognises the password and no other", async () => {
    const hasher = hasherWith();
    const [one, two] = [await hasher.hash("hunter22"), await hasher.hash("hunter22")];
    expect(one.phc).not.toBe(two.phc);
    expect(await hasher.verify(one, "hunter22")).toBe(true);
    expect(await hasher.verify(one, "hunter23")).toBe(false);
  });

  test("verifies a hash of another cost, and knows that it is outdated", async () => {
    const old = await hasherWith({ ...cheap, iterations: 2 }).hash("hunter22");
    const hasher = hasherWith();
    expect(await hasher.verify(old, "hunter22")).toBe(true);
    expect(hasher.isOutdated(old)).toBe(true);
    expect(hasher.isOutdated(await hasher.hash("hunter22"))).toBe(false);
  });

  test("mixes in the pepper, keeps its id beside the hash, and lets it be changed", async () => {
    const before = await hasherWith(cheap, [oldPepper]).hash("hunter22");
    expect(before.pepperId).toMatch(/^[0-9a-f]{8}$/);
    const after = hasherWith(cheap, [newPepper, oldPepper]);
    expect(await after.verify(before, "hunter22")).toBe(true);
    expect(after.isOutdated(before)).toBe(true);
    expect(await hasherWith().verify({ ...before, pepperId: null }, "hunter22")).toBe(false);
  });

  test("fails loudly where the pepper of a hash has been dropped", async () => {
    const before = await hasherWith(cheap, [oldPepper]).hash("hunter22");
    await expect(hasherWith(cheap, [newPepper]).verify(before, "hunter22")).rejects.toThrow(
      "PASSWORD_PEPPER",
    );
  });
});
