import { argon2 as nodeArgon2 } from "node:crypto";
import { promisify } from "node:util";
import { loadBuiltArgon2, type NativeArgon2 } from "./built-argon2.ts";
import type { Argon2Variant, Argon2Work } from "./hash-work.ts";

/** Computes Argon2 on another thread. */
export type ComputeArgon2 = (work: Argon2Work) => Promise<Uint8Array>;

/** One of the libraries that compute Argon2id. */
export interface Argon2Implementation {
  readonly name: string;
  /** Loads it. @throws if this machine lacks it */
  load(): Promise<ComputeArgon2>;
}

/** All implementations that may be installed; those that are usually faster come first. */
export const argon2Implementations: readonly Argon2Implementation[] = [
  { name: "argon2, built for this processor", load: async () => useBuilt(await loadBuiltArgon2()) },
  { name: "@node-rs/argon2", load: loadNodeRs },
  { name: "argon2", load: loadPackage },
  { name: "node:crypto", load: () => Promise.resolve(useNodeCrypto()) },
];

/** The variants by their numbers in RFC 9106 section 3.2, which the libraries share. */
const numbers: Readonly<Record<Argon2Variant, 0 | 1 | 2>> = { argon2d: 0, argon2i: 1, argon2id: 2 };

async function loadNodeRs(): Promise<ComputeArgon2> {
  const { hashRaw } = await import("@node-rs/argon2");
  // By default it computes version 0x13.
  return ({ kind, password, salt, secret, memoryKib, iterations, parallelism, hashBytes }) =>
    hashRaw(password, {
      // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- a const enum does not exist at run time
      algorithm: numbers[kind],
      salt,
      memoryCost: memoryKib,
      timeCost: iterations,
      parallelism,
      outputLen: hashBytes,
      ...(secret === null ? {} : { secret }),
    });
}

async function loadPackage(): Promise<ComputeArgon2> {
  const { default: argon2 } = await import("argon2");
  return ({ kind, password, salt, secret, memoryKib, iterations, parallelism, hashBytes }) =>
    argon2.hash(Buffer.from(password), {
      raw: true,
      type: numbers[kind],
      version: 0x13,
      salt: Buffer.from(salt),
      hashLength: hashBytes,
      memoryCost: memoryKib,
      timeCost: iterations,
      parallelism,
      ...(secret === null ? {} : { secret: Buffer.from(secret) }),
    });
}

function useBuilt(native: NativeArgon2): ComputeArgon2 {
  return ({ kind, password, salt, secret, memoryKib, iterations, parallelism, hashBytes }) =>
    native.hash({
      password: Buffer.from(password),
      salt: Buffer.from(salt),
      secret: Buffer.from(secret ?? []),
      data: Buffer.alloc(0),
      hashLength: hashBytes,
      m: memoryKib,
      t: iterations,
      p: parallelism,
      version: 0x13,
      type: numbers[kind],
    });
}

function useNodeCrypto(): ComputeArgon2 {
  const argon2 = promisify(nodeArgon2);
  return ({ kind, password, salt, secret, memoryKib, iterations, parallelism, hashBytes }) =>
    argon2(kind, {
      message: password,
      nonce: salt,
      memory: memoryKib,
      passes: iterations,
      parallelism,
      tagLength: hashBytes,
      ...(secret === null ? {} : { secret }),
    });
}
