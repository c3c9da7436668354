import { describe, expect, test } from "@jest/globals";
import { createHashQueue } from "../../src/domain/password/queue/hash-queue.ts";
import { createQueuedHashing } from "../../src/domain/password/queue/hashing.ts";
import { ownWork } from "../../src/domain/password/queue/admission.ts";
import {
  type FirebaseParameters,
  formatFirebaseScrypt,
} from "../../src/domain/password/formats/firebase-scrypt.ts";
import type { PasswordHash } from "../../src/domain/password/password-hash.ts";
import { createPasswordHasher } from "../../src/domain/password/password-hasher.ts";
import { createPeppers } from "../../src/domain/password/peppers.ts";
import {
  importHash,
  parseHashFormat,
  parseStoredHash,
  storedHashForms,
} from "../../src/domain/password/stored-formats.ts";
import { createLazyHashEngine } from "../../src/hashing/hash-engine.ts";
import { type FirebaseHash, firebaseHashes, foreignHashes } from "../_harness/foreign-hashes.ts";

const cost = { memoryKib: 64, iterations: 1, parallelism: 1 };
const hasher = createPasswordHasher({
  cost,
  // None of them was made with it.
  peppers: createPeppers(["a-pepper-a-pepper-a-pepper-a-pepper"]),
  hashing: createQueuedHashing(
    createHashQueue({ concurrency: 2, queueMax: 10, waitMaxMs: 60_000 }),
    createLazyHashEngine(cost),
  ),
});

function take(text: string): PasswordHash {
  const taken = importHash(text);
  if ("problem" in taken) throw new Error(taken.problem);
  return taken;
}

function parametersOf({ signerKey, saltSeparator, rounds, memCost }: FirebaseHash): FirebaseParameters {
  const [key, separator] = [signerKey, saltSeparator].map((text) => Buffer.from(text, "base64"));
  return { signerKey: key ?? Buffer.of(), saltSeparator: separator ?? Buffer.of(), rounds, memCost };
}

async function expectToBeOf(stored: PasswordHash, password: string): Promise<void> {
  expect(await hasher.verify(stored, password, ownWork)).toBe("right");
  expect(await hasher.verify(stored, `${password}.`, ownWork)).toBe("wrong");
  expect(await hasher.verify(stored, password.slice(1), ownWork)).toBe("wrong");
  expect(hasher.isOutdated(stored, password)).toBe(true);
}

describe("a hash that another program has made is right for its password alone, and outdated:", () => {
  test.each(foreignHashes.map((each) => [each.family, each.madeBy, each] as const))(
    "%s by %s",
    async (_family, _madeBy, { password, text }) => expectToBeOf(take(text), password),
  );

  test.each(firebaseHashes.map((each) => [each.madeBy, each] as const))(
    "Firebase's scrypt by %s",
    async (_madeBy, each) => {
      const phc = formatFirebaseScrypt(parametersOf(each), each.salt, each.hash) ?? "";
      await expectToBeOf(take(phc), each.password);
      const web = (text: string) => text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
      expect(formatFirebaseScrypt(parametersOf(each), web(each.salt), web(each.hash))).toBe(phc);
    },
  );
});

test("what is stored is taken as it is, and has one form for JavaScript and PostgreSQL", () => {
  const form = new RegExp(storedHashForms);
  for (const { text } of foreignHashes) {
    const { phc } = take(text);
    expect(take(phc).phc).toBe(phc);
    expect(phc).toMatch(form);
    const upToSalt = phc.startsWith("$2") ? phc.slice(0, 6) : phc.split("$").slice(0, -2).join("$");
    const stored = parseStoredHash(phc)?.format;
    const lengthMatters = stored?.kind === "pbkdf2";
    expect(parseHashFormat(upToSalt)).toEqual(
      stored !== undefined && "hashBytes" in stored && !lengthMatters ? { ...stored, hashBytes: 32 } : stored,
    );
  }
});

describe("a password with a NUL, which HMAC cannot tell from one without, does not replace a hash:", () => {
  test.each(["pbkdf2-sha256", "scrypt"])("%s", async (family) => {
    const found = foreignHashes.find((each) => each.family === family);
    const stored = take(found?.text ?? "");
    const alike = `${found?.password}\0`;
    expect(await hasher.verify(stored, alike, ownWork)).toBe("right");
    expect(hasher.isOutdated(stored, alike)).toBe(false);
  });
});

const salt = "c29tZXNhbHRzb21lc2FsdA";
const hash = "kGUlmSl3aG9hSDxH3vYCqFhJTD6PrCgZ7bWyWFLpvZs";
const bcryptRest = "abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e";
const long = "A".repeat(86);

describe("a hash that is not taken is refused with the reason:", () => {
  test.each([
    ["", "has a form that is not known"],
    ["hunter22", "has a form that is not known"],
    ["$6$rounds=5000$salt$hash", "has a form that is not known"],
    ["{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "has a form that is not known"],
    ["{MD5}X03MO1qnZdYdgyfeuILPmQ==", "has a form that is not known"],
    [`$2x$10$${bcryptRest}`, "is damaged, or of a version that is not known"],
    [`$2b$10$${bcryptRest.slice(1)}`, "is damaged, or of a version that is not known"],
    [`$2b$17$${bcryptRest}`, "must have a cost of 4 to 16"],
    [`$argon2id$m=64,t=2,p=1$${salt}$${hash}`, "is damaged, or of a version that is not known"],
    [`$argon2id$v=16$m=64,t=2,p=1$${salt}$${hash}`, "is damaged, or of a version that is not known"],
    [`$argon2i$v=19$m=64,t=2,p=1$${salt}$${long}A`, "is damaged, or of a version that is not known"],
    [`$argon2d$v=19$m=64,t=2$${salt}$${hash}`, "must have the parameters m, t and p"],
    [`$argon2i$v=19$m=2097152,t=1,p=1$${salt}$${hash}`, "costs too much: Argon2 may have"],
    [`$argon2i$v=19$m=8,t=1,p=2$${salt}$${hash}`, "has less memory"],
    [`$scrypt$ln=15,r=8$${salt}$${hash}`, "must have the parameters ln, r and p"],
    [`$scrypt$ln=21,r=8,p=1$${salt}$${hash}`, "costs too much: scrypt"],
    [`$scrypt$ln=99999999,r=99999999,p=99999999$${salt}$${hash}`, "costs too much: scrypt"],
    [`$firebase-scrypt$ln=21,r=8$${salt}$${long}`, "costs too much: scrypt"],
    [`$firebase-scrypt$ln=14$${salt}$${long}`, "must have the parameters ln and r"],
    [`$firebase-scrypt$ln=14,r=8$${salt}$${hash}`, "must have 64 bytes"],
    [`$pbkdf2-sha256$i=5000001$${salt}$${hash}`, "costs too much: PBKDF2"],
    [`$pbkdf2-sha256$i=2600000$${salt}$${long}`, "costs too much: PBKDF2"],
    [`$pbkdf2-sha256$i=1000,l=16$${salt}$AA`, "is damaged, or of a version that is not known"],
    [`pbkdf2_sha256$9000000$salt$${hash}=`, "costs too much: PBKDF2"],
    [`pbkdf2_md5$1000$salt$${hash}=`, "has a form that is not known"],
    [`AQAAAAE${"A".repeat(60)}`, "has a form that is not known"],
    [`$ssha256$${salt}$${long}`, "is not as long as its digest"],
    ["{SSHA}c2hvcnQ=", "is damaged, or of a version that is not known"],
    [`{SSHA}${"A".repeat(2_000)}`, "has a form that is not known"],
  ])("%s", (text, problem) => {
    expect(importHash(text)).toEqual({ problem: expect.stringContaining(problem) });
  });
});

test("a hash of Firebase that is not as long as the signer key has no stored form", () => {
  const [first] = firebaseHashes;
  if (first === undefined) throw new Error("there is none");
  expect(formatFirebaseScrypt(parametersOf(first), first.salt, "c2hvcnQ=")).toBeNull();
  expect(formatFirebaseScrypt(parametersOf(first), "§", first.hash)).toBeNull();
});
