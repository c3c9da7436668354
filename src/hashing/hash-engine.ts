import {
  createCipheriv,
  createHash,
  pbkdf2 as nodePbkdf2,
  scrypt as nodeScrypt,
  type ScryptOptions,
} from "node:crypto";
import { promisify } from "node:util";
import type { ComputeArgon2 } from "./argon2-implementations.ts";
import { chooseArgon2 } from "./choose-argon2.ts";
import type {
  Argon2Cost,
  BcryptWork,
  FirebaseScryptWork,
  HashEngine,
  Pbkdf2Work,
  SaltedDigestWork,
  ScryptWork,
} from "./hash-work.ts";

const scrypt: (
  password: Uint8Array,
  salt: Uint8Array,
  bytes: number,
  options: ScryptOptions,
) => Promise<Buffer> = promisify(nodeScrypt);
const pbkdf2 = promisify(nodePbkdf2);
const bcryptHashChars = 31;
const aes256KeyBytes = 32;

/** Hashes in this process, on its libuv pool. @param computeArgon2 a sound implementation */
export function createHashEngine(computeArgon2: ComputeArgon2): HashEngine {
  return {
    async run(work) {
      switch (work.kind) {
        case "argon2id":
        case "argon2i":
        case "argon2d":
          return computeArgon2(work);
        case "bcrypt":
          return computeBcrypt(work);
        case "scrypt":
          return computeScrypt(work);
        case "firebase-scrypt":
          return computeFirebaseScrypt(work);
        case "pbkdf2":
          return computePbkdf2(work);
        case "salted-digest":
          return computeSaltedDigest(work);
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

async function computeFirebaseScrypt({ hashBytes, ...work }: FirebaseScryptWork): Promise<Uint8Array> {
  const key = await computeScrypt({ ...work, kind: "scrypt", parallelization: 1, hashBytes: aes256KeyBytes });
  return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(hashBytes));
}

function computePbkdf2({ password, salt, iterations, hashBytes, digest }: Pbkdf2Work): Promise<Uint8Array> {
  return pbkdf2(password, salt, iterations, hashBytes, digest);
}

/** It takes microseconds, so that it needs no thread. */
function computeSaltedDigest({ digest, password, salt }: SaltedDigestWork): Uint8Array {
  return createHash(digest).update(password).update(salt).digest();
}
