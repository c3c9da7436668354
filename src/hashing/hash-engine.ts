import { scrypt as nodeScrypt, type ScryptOptions } from "node:crypto";
import { promisify } from "node:util";
import { type Argon2Report, chooseArgon2 } from "./choose-argon2.ts";
import type { Argon2Cost, BcryptWork, HashEngine, ScryptWork } from "./hash-work.ts";

/** The engine of this process, on its libuv pool. */
export interface LocalHashEngine extends HashEngine {
  readonly argon2: Argon2Report;
}

const scrypt: (
  password: Uint8Array,
  salt: Uint8Array,
  bytes: number,
  options: ScryptOptions,
) => Promise<Buffer> = promisify(nodeScrypt);
const bcryptHashChars = 31;

/**
 * Chooses the implementation of Argon2id, and hashes in this process.
 *
 * @param cost of most hashes to come
 * @throws Error if no Argon2id implementation is correct
 */
export async function createHashEngine(cost: Argon2Cost): Promise<LocalHashEngine> {
  const { compute, report } = await chooseArgon2(cost);
  return {
    argon2: report,
    async run(work) {
      switch (work.kind) {
        case "argon2id":
          return compute(work);
        case "bcrypt":
          return computeBcrypt(work);
        case "scrypt":
          return computeScrypt(work);
      }
    },
  };
}

/** An engine that is made at the first hash: most commands need none. */
export function createLazyHashEngine(cost: Argon2Cost): HashEngine {
  let engine: Promise<HashEngine> | null = null;
  return { run: async (work) => (await (engine ??= createHashEngine(cost))).run(work) };
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
