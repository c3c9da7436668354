import { describe, expect, test } from "@jest/globals";
import argon2 from "argon2";
import { formatArgon2 } from "../../src/domain/password/formats/argon2.ts";
import { parseHashFormat, parseStoredHash } from "../../src/domain/password/stored-formats.ts";

const salt = "c29tZXNhbHRzb21lc2FsdA";
const hash = "kGUlmSl3aG9hSDxH3vYCqFhJTD6PrCgZ7bWyWFLpvZs";

describe("PHC strings of Argon2id", () => {
  test("are written in the order of the reference implementation", () => {
    const text = formatArgon2(
      { memoryKib: 19456, iterations: 2, parallelism: 1 },
      Buffer.from(salt, "base64"),
      Buffer.from(hash, "base64"),
    );
    expect(text).toBe(`$argon2id$v=19$m=19456,t=2,p=1$${salt}$${hash}`);
  });

  test("are read by another implementation", async () => {
    const saltBytes = Buffer.from("0123456789abcdef");
    const raw = await argon2.hash("hunter22", {
      raw: true,
      type: argon2.argon2id,
      salt: saltBytes,
      memoryCost: 64,
      timeCost: 2,
      parallelism: 2,
      hashLength: 32,
    });
    const text = formatArgon2({ memoryKib: 64, iterations: 2, parallelism: 2 }, saltBytes, raw);
    expect(await argon2.verify(text, "hunter22")).toBe(true);
    expect(await argon2.verify(text, "hunter23")).toBe(false);
  });

  test("are read with their parameters in any order", () => {
    expect(parseStoredHash(`$argon2id$v=19$m=64,p=1,t=3$${salt}$${hash}`)?.format).toEqual({
      kind: "argon2id",
      memoryKib: 64,
      iterations: 3,
      parallelism: 1,
      hashBytes: 32,
    });
  });

  test.each([
    ["another algorithm", `$argon2x$v=19$m=64,t=2,p=1$${salt}$${hash}`],
    ["another version", `$argon2id$v=16$m=64,t=2,p=1$${salt}$${hash}`],
    ["memory beyond 1 GiB", `$argon2id$v=19$m=2097152,t=2,p=1$${salt}$${hash}`],
    ["passes beyond 64", `$argon2id$v=19$m=64,t=65,p=1$${salt}$${hash}`],
    ["lanes beyond 16", `$argon2id$v=19$m=1024,t=2,p=17$${salt}$${hash}`],
    ["less memory than its lanes need", `$argon2id$v=19$m=8,t=2,p=2$${salt}$${hash}`],
    ["a parameter twice", `$argon2id$v=19$m=64,m=64,p=1$${salt}$${hash}`],
    ["a parameter missing", `$argon2id$v=19$m=64,t=2$${salt}$${hash}`],
    ["a short salt", `$argon2id$v=19$m=64,t=2,p=1$c2FsdA$${hash}`],
    ["no hash", `$argon2id$v=19$m=64,t=2,p=1$${salt}`],
    ["nothing", ""],
  ])("are refused before any work is done: %s", (_case, text) => {
    expect(parseStoredHash(text)).toBeNull();
  });

  test("share a format when their costs are equal", () => {
    const format = "$argon2id$v=19$m=64,t=2,p=1";
    const cost = { memoryKib: 64, iterations: 2, parallelism: 1 };
    expect(parseHashFormat(format)).toEqual({ kind: "argon2id", ...cost, hashBytes: 32 });
    expect(parseHashFormat(`${format}$${salt}`)).toBeNull();
  });
});
