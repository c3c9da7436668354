import { randomBytes, timingSafeEqual } from "node:crypto";
import argon2 from "argon2";
import type { HashQueue } from "./hash-queue.ts";
import {
  type Argon2Cost,
  argon2Format,
  formatArgon2,
  type PasswordHash,
  parseArgon2,
  parseArgon2Format,
} from "./password-hash.ts";
import type { Pepper, Peppers } from "./peppers.ts";

const saltBytes = 16;
const hashBytes = 32;

/** Hashes passwords with Argon2id (RFC 9106), through the queue. Passwords are in NFC already. */
export interface PasswordHasher {
  hash(password: string, signal?: AbortSignal): Promise<PasswordHash>;
  /** Whether it is the password of this hash. */
  verify(hash: PasswordHash, password: string, signal?: AbortSignal): Promise<boolean>;
  /** Does the work of a `verify` against a hash of this format, and tells nothing. */
  pretend(format: string, password: string, signal?: AbortSignal): Promise<void>;
  /** Whether a hash is of another cost or pepper than new ones have. */
  isOutdated(hash: PasswordHash): boolean;
  /** The format of new hashes, as `pretend` takes it. */
  readonly format: string;
}

/** @param options the cost of new hashes, the peppers, and the queue that every hash waits in */
export function createPasswordHasher(options: {
  readonly cost: Argon2Cost;
  readonly peppers: Peppers;
  readonly queue: HashQueue;
}): PasswordHasher {
  const { cost, peppers, queue } = options;
  const format = argon2Format(cost);
  return {
    format,
    async hash(password, signal) {
      const salt = randomBytes(saltBytes);
      const pepper = peppers.current;
      const hash = await queue.run(() => compute(password, salt, cost, hashBytes, pepper), signal);
      return { phc: formatArgon2(cost, salt, hash), pepperId: pepper?.id ?? null };
    },
    async verify(stored, password, signal) {
      const parsed = parseArgon2(stored.phc);
      if (parsed === null) throw new Error("a stored password hash cannot be read");
      const pepper = peppers.find(stored.pepperId);
      if (pepper === undefined) throw new Error(`the pepper ${stored.pepperId} is not in PASSWORD_PEPPER`);
      const { salt, hash } = parsed;
      const work = () => compute(password, salt, parsed.cost, hash.byteLength, pepper);
      return timingSafeEqual(await queue.run(work, signal), hash);
    },
    async pretend(decoy, password, signal) {
      const decoyCost = parseArgon2Format(decoy) ?? cost;
      const salt = randomBytes(saltBytes);
      await queue.run(() => compute(password, salt, decoyCost, hashBytes, peppers.current), signal);
    },
    isOutdated: (stored) =>
      !stored.phc.startsWith(`${format}$`) || stored.pepperId !== (peppers.current?.id ?? null),
  };
}

function compute(
  password: string,
  salt: Buffer,
  cost: Argon2Cost,
  hashLength: number,
  pepper: Pepper | null,
): Promise<Buffer> {
  return argon2.hash(password, {
    raw: true,
    type: argon2.argon2id,
    version: 0x13,
    salt,
    hashLength,
    memoryCost: cost.memoryKib,
    timeCost: cost.iterations,
    parallelism: cost.parallelism,
    ...(pepper === null ? {} : { secret: pepper.secret }),
  });
}
