import { beforeEach, describe, expect, test } from "@jest/globals";
import { ownWork } from "../../src/domain/password/queue/admission.ts";
import { createHashQueue } from "../../src/domain/password/queue/hash-queue.ts";
import { createQueuedHashing } from "../../src/domain/password/queue/hashing.ts";
import { createPasswordHasher } from "../../src/domain/password/password-hasher.ts";
import { createPeppers } from "../../src/domain/password/peppers.ts";
import type { HashEngine } from "../../src/hashing/hash-work.ts";
import { createLazyHashEngine } from "../../src/hashing/hash-engine.ts";
import { listenTo } from "./listen-to.ts";

const engine = createLazyHashEngine({ memoryKib: 64, iterations: 1, parallelism: 1 });
const cheap = { memoryKib: 64, iterations: 1, parallelism: 1 };
const oldPepper = "old-pepper-old-pepper-old-pepper-old";
const newPepper = "new-pepper-new-pepper-new-pepper-new";

/** Made by other systems; the password is `correct horse`. */
const imported = {
  bcrypt: "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
  scrypt: "$scrypt$ln=10,r=8,p=1$c2l4dGVlbiBieXRlIHNsdA$pm8pKHMuzBMnzWjY+J2K8bOo4zfV05STJL8ONhhN0II",
};

/** Of what hashers were told, and the work that they have done, without what differs each time. */
let told: string[] = [];
let done: object[] = [];
beforeEach(() => {
  [told, done] = [[], []];
});

function hasherWith(cost = cheap, peppers: readonly string[] = [], inner: HashEngine = engine) {
  return createPasswordHasher({
    cost,
    peppers: createPeppers(peppers),
    hashing: createQueuedHashing(createHashQueue({ concurrency: 2, queueMax: 10, waitMaxMs: 60_000 }), {
      run(work) {
        const { password: _password, salt: _salt, secret: _secret, ...kept } = { secret: null, ...work };
        done.push(kept);
        return inner.run(work);
      },
    }),
    events: listenTo({ "hash.unreadable": (cause) => told.push(cause) }),
  });
}

describe("hashing a password", () => {
  test("makes a new salt each time, and recognises the password and no other", async () => {
    const hasher = hasherWith();
    const [one, two] = [await hasher.hash("hunter22", ownWork), await hasher.hash("hunter22", ownWork)];
    expect(one.phc).not.toBe(two.phc);
    expect(await hasher.verify(one, "hunter22", ownWork)).toBe("right");
    expect(await hasher.verify(one, "hunter23", ownWork)).toBe("wrong");
  });

  test("verifies a hash of another cost, and knows that it is outdated", async () => {
    const old = await hasherWith({ ...cheap, iterations: 2 }).hash("hunter22", ownWork);
    const hasher = hasherWith();
    expect(await hasher.verify(old, "hunter22", ownWork)).toBe("right");
    expect(hasher.isOutdated(old, "hunter22")).toBe(true);
    expect(hasher.isOutdated(await hasher.hash("hunter22", ownWork), "hunter22")).toBe(false);
  });

  test("mixes in the pepper, keeps its id beside the hash, and lets it be changed", async () => {
    const before = await hasherWith(cheap, [oldPepper]).hash("hunter22", ownWork);
    expect(before.pepperId).toMatch(/^[0-9a-f]{8}$/);
    const after = hasherWith(cheap, [newPepper, oldPepper]);
    expect(await after.verify(before, "hunter22", ownWork)).toBe("right");
    expect(after.isOutdated(before, "hunter22")).toBe(true);
    expect(await hasherWith().verify({ ...before, pepperId: null }, "hunter22", ownWork)).toBe("wrong");
  });

  test("verifies a hash of the time before there was a pepper, and knows that it is outdated", async () => {
    const before = await hasherWith().hash("hunter22", ownWork);
    const hasher = hasherWith(cheap, [newPepper]);
    expect(await hasher.verify(before, "hunter22", ownWork)).toBe("right");
    expect(hasher.isOutdated(before, "hunter22")).toBe(true);
  });

  test("does the work of a comparison where the pepper of a hash has been dropped, and says so", async () => {
    const before = await hasherWith(cheap, [oldPepper]).hash("hunter22", ownWork);
    const after = hasherWith(cheap, [newPepper]);
    expect(await after.verify(before, "hunter22", ownWork)).toBe("unreadable");
    expect(told).toEqual(["pepper"]);
    const [made, compared] = done;
    expect(compared).toEqual(made);
  });
});

describe("a hash that cannot be read", () => {
  const decoy = "$argon2id$v=19$m=128,t=2,p=1";
  const decoyWork = { kind: "argon2id", memoryKib: 128, iterations: 2, parallelism: 1, hashBytes: 32 };

  test.each([
    ["is no hash", "hunter22"],
    ["is of an unknown kind", "$6$salt$hash"],
    ["is cut off", imported.bcrypt.slice(0, -1)],
    ["costs more than is ever spent", "$scrypt$ln=30,r=8,p=1$c2l4dGVlbiBieXRlIHNsdA$pm8pKHMuzBMnzWjY"],
    ["costs nothing", "$argon2id$v=19$m=0,t=0,p=0$c29tZXNhbHRzb21lc2FsdA$kGUlmSl3aG9hSDxH3vYCqA"],
  ])("takes the time of another, where it %s", async (_what, phc) => {
    expect(await hasherWith().verify({ phc, pepperId: null }, "hunter22", ownWork, decoy)).toBe("unreadable");
    expect(told).toEqual(["form"]);
    expect(done).toEqual([decoyWork]);
  });

  test("takes the time of another as well, where the implementation refuses it", async () => {
    const hasher = hasherWith(cheap, [], {
      run: (work) => (work.kind === "scrypt" ? Promise.reject(new Error("refused")) : engine.run(work)),
    });
    const stored = { phc: imported.scrypt, pepperId: null };
    expect(await hasher.verify(stored, "correct horse", ownWork, decoy)).toBe("unreadable");
    expect(told).toEqual(["refused"]);
    expect(done.at(-1)).toEqual(decoyWork);
  });
});

describe("hashes that another system has made", () => {
  test.each(Object.entries(imported))("are verified: %s", async (_name, phc) => {
    const hasher = hasherWith(cheap, [newPepper]);
    const stored = { phc, pepperId: null };
    expect(await hasher.verify(stored, "correct horse", ownWork)).toBe("right");
    expect(await hasher.verify(stored, "correct mule", ownWork)).toBe("wrong");
    expect(hasher.isOutdated(stored, "correct horse")).toBe(true);
  });

  test("are known in all the spellings of bcrypt but the one that marks a mistake", async () => {
    const hasher = hasherWith();
    for (const version of ["2a", "2b", "2y"]) {
      const stored = { phc: imported.bcrypt.replace("2b", version), pepperId: null };
      expect(await hasher.verify(stored, "correct horse", ownWork)).toBe("right");
    }
    const mistaken = { phc: imported.bcrypt.replace("2b", "2x"), pepperId: null };
    expect(await hasher.verify(mistaken, "correct horse", ownWork)).toBe("unreadable");
  });
});

describe("a bcrypt hash is made anew from a password that it is sure to be of", () => {
  const hasher = hasherWith();
  /** As bcrypt makes them: of a password's first 72 bytes. */
  const hashOf = async (password: string) => {
    const { hash } = await import("@node-rs/bcrypt");
    return { phc: await hash(password, { cost: 4 }), pepperId: null };
  };
  const letters = (count: number) => "é".repeat(count >> 1) + "x".repeat(count % 2);

  test.each([
    ["of 71 bytes", letters(71), true],
    ["of 72 bytes, which a longer one may begin with", letters(72), false],
    ["of 73 bytes", letters(73), false],
    ["of 1,024 bytes", letters(1024), false],
  ])("%s", async (_what, password, isOutdated) => {
    const stored = await hashOf(password);
    expect(await hasher.verify(stored, password, ownWork)).toBe("right");
    expect(hasher.isOutdated(stored, password)).toBe(isOutdated);
  });

  test("and not from one that goes on after a NUL as it began, which bcrypt cannot tell from it", async () => {
    const stored = await hashOf("hunter22");
    expect(await hasher.verify(stored, "hunter22\0hunter22", ownWork)).toBe("right");
    expect(hasher.isOutdated(stored, "hunter22\0hunter22")).toBe(false);
    expect(hasher.isOutdated(stored, "hunter22")).toBe(true);
  });
});
