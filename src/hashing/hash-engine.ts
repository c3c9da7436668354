import { scrypt as nodeScrypt, type ScryptOptions } from "node:crypto";
import { promisify } from "node:util";
import type { ComputeArgon2 } from "./argon2-implementations.ts";
import { chooseArgon2 } from "./choose-argon2.ts";
import type { Argon2Cost, BcryptWork, HashEngine, ScryptWork } from "./hash-work.ts";

const scrypt: (
  password: Uint8Array,
  salt: Uint8Array,
  bytes: number,
  options: ScryptOptions,
) => Promise<Buffer> = promisify(nodeScrypt);
const bcryptHashChars = 31;

/** Hashes in this process, on its libuv pool. @param computeArgon2 a sound implementation */
export function createHashEngine(computeArgon2: ComputeArgon2): HashEngine {
  return {
    async run(work) {
      switch (work.kind) {
        case "argon2id":
          return computeArgon2(work);
        case "bcrypt":
          return computeBcrypt(work);
        case "scrypt":
          return computeScrypt(work);
      }
    },
  };
}

/**
 * An engine that chooses its implementation when the first hash is asked for: most commands need none.
 *
 * @param cost of most hashes to come
 */
export function createLazyHashEngine(cost: Argon2Cost): HashEngine {
  let engine: Promise<HashEngine> | null = null;
  const open = async (): Promise<HashEngine> => createHashEngine((await chooseArgon2(cost)).compute);
  return { run: async (work) => (await (engine ??= open())).run(work) };
}

async function computeBcrypt({ password, salt, cost }: BcryptWork): Promise<Uint8Array> {
  const { hash } = await import("@node-rs/bcrypt");
  const text = await hash(password, { salt, cost });
  return Buffer.from(text.slice(-bcryptHashChars));
}

function computeScrypt(work: ScryptWork): Promise<Uint8Array> {
  const { costLog2, blockSize, parallelization } = work;
  const cost = 2 ** costLog2;
  // RFC 7914 section 2: 128 r bytes for each of N blocks and each of p lanes. OpenSSL wants some more.
  const maxmem = 128 * blockSize * (cost + parallelization) + 1_048_576;
  return scrypt(work.password, work.salt, work.hashBytes, { cost, blockSize, parallelization, maxmem });
}
