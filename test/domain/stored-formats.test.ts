import { describe, expect, test } from "@jest/globals";
import { parseHashFormat, parseStoredHash } from "../../src/domain/password/stored-formats.ts";

const salt = "c29tZXNhbHRzb21lc2FsdA";
const hash = "kGUlmSl3aG9hSDxH3vYCqFhJTD6PrCgZ7bWyWFLpvZs";
const bcryptRest = "abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e";

describe("stored hashes are read", () => {
  test.each([
    [
      `$argon2id$v=19$m=64,t=2,p=1$${salt}$${hash}`,
      { kind: "argon2id", memoryKib: 64, iterations: 2, parallelism: 1, hashBytes: 32 },
    ],
    [`$2y$12$${bcryptRest}`, { kind: "bcrypt", cost: 12 }],
    [
      `$scrypt$ln=15,r=8,p=1$${salt}$${hash}`,
      { kind: "scrypt", costLog2: 15, blockSize: 8, parallelization: 1, hashBytes: 32 },
    ],
  ])("%s", (text, format) => {
    expect(parseStoredHash(text)?.format).toEqual(format);
    const upToSalt = text.startsWith("$2") ? text.slice(0, 6) : text.split("$").slice(0, -2).join("$");
    expect(parseHashFormat(upToSalt)).toEqual(format);
  });
});

describe("stored hashes are refused before any work is done", () => {
  test.each([
    ["a bcrypt cost below 4", `$2b$03$${bcryptRest}`],
    ["a bcrypt cost above 16", `$2b$17$${bcryptRest}`],
    ["bcrypt's mark of a mistaken implementation", `$2x$10$${bcryptRest}`],
    ["a short bcrypt hash", `$2b$10$${bcryptRest.slice(1)}`],
    ["scrypt's N above 2 to the 20", `$scrypt$ln=21,r=1,p=1$${salt}$${hash}`],
    ["scrypt's memory above 1 GiB", `$scrypt$ln=20,r=9,p=1$${salt}$${hash}`],
    ["scrypt's work above 2 to the 24 blocks", `$scrypt$ln=20,r=8,p=3$${salt}$${hash}`],
    ["a scrypt parameter missing", `$scrypt$ln=15,r=8$${salt}$${hash}`],
    ["scrypt without rounds", `$scrypt$ln=0,r=8,p=1$${salt}$${hash}`],
    ["Argon2 memory times passes above 8 GiB", `$argon2id$v=19$m=1048576,t=9,p=1$${salt}$${hash}`],
    ["a spelling that is not stored", `$pbkdf2-sha256$29000$${salt}$${hash}`],
    ["nothing", ""],
  ])("%s", (_case, text) => {
    expect(parseStoredHash(text)).toBeNull();
    expect(parseHashFormat(text)).toBeNull();
  });
});
