import { randomBytes, timingSafeEqual } from "node:crypto";
import type { Argon2Cost, HashEngine } from "../../hashing/hash-work.ts";
import { inSpan } from "../../lib/span.ts";
import type { Admission } from "./admission.ts";
import type { HashQueue } from "./hash-queue.ts";
import { argon2Format, formatArgon2, type PasswordHash } from "./password-hash.ts";
import type { Pepper, Peppers } from "./peppers.ts";
import { parseHashFormat, parseStoredHash, type StoredFormat } from "./stored-formats.ts";

const hashBytes = 32;
const saltBytes = 16;

/**
 * Hashes passwords with Argon2id (RFC 9106), and verifies those that other systems have hashed with bcrypt
 * and scrypt. Passwords are in NFC already. All of it goes through the queue, which refuses with AppError
 * overloaded.
 */
export interface PasswordHasher {
  hash(password: string, admission: Admission): Promise<PasswordHash>;
  /** Whether it is the password of this hash. */
  verify(hash: PasswordHash, password: string, admission: Admission): Promise<boolean>;
  /** Does the work of a `verify` against a hash of this format, and tells nothing. */
  pretend(format: string, password: string, admission: Admission): Promise<void>;
  /** Refuses at once whom the queue has no place for, before anything else is spent on the call. */
  requireRoom(admission: Admission): void;
  /** Whether a hash is of another format, cost or pepper than new ones have. */
  isOutdated(hash: PasswordHash): boolean;
  /** The format of new hashes, as `pretend` takes it. */
  readonly format: string;
}

/** @param options the cost of new hashes, the peppers, what computes them, and the queue that they wait in */
export function createPasswordHasher(options: {
  readonly cost: Argon2Cost;
  readonly peppers: Peppers;
  readonly engine: HashEngine;
  readonly queue: HashQueue;
}): PasswordHasher {
  const { cost, peppers, engine, queue } = options;
  const format = argon2Format(cost);
  const current: StoredFormat = { kind: "argon2id", ...cost, hashBytes };

  const compute = (
    format: StoredFormat,
    salt: Buffer,
    password: string,
    pepper: Pepper | null,
    admission: Admission,
  ): Promise<Uint8Array> => {
    const work = { ...format, password: Buffer.from(password), salt, secret: pepper?.secret ?? null };
    return inSpan("hash", format.kind, (span) =>
      queue.run(() => {
        // What lies before is the wait for a turn.
        span?.addEvent("started");
        return engine.run(work);
      }, admission),
    );
  };

  return {
    format,
    requireRoom: (admission) => queue.requireRoom(admission),
    async hash(password, admission) {
      const salt = randomBytes(saltBytes);
      const pepper = peppers.current;
      const hash = await compute(current, salt, password, pepper, admission);
      return { phc: formatArgon2(cost, salt, Buffer.from(hash)), pepperId: pepper?.id ?? null };
    },
    async verify(stored, password, admission) {
      const parsed = parseStoredHash(stored.phc);
      if (parsed === null) throw new Error("a stored password hash cannot be read");
      const pepper = peppers.find(stored.pepperId);
      if (pepper === undefined) throw new Error(`the pepper ${stored.pepperId} is not in PASSWORD_PEPPER`);
      const hash = await compute(parsed.format, parsed.salt, password, pepper, admission);
      return hash.byteLength === parsed.hash.byteLength && timingSafeEqual(hash, parsed.hash);
    },
    async pretend(decoy, password, admission) {
      const decoyFormat = parseHashFormat(decoy) ?? current;
      await compute(decoyFormat, randomBytes(saltBytes), password, peppers.current, admission);
    },
    isOutdated: (stored) =>
      !stored.phc.startsWith(`${format}$`) || stored.pepperId !== (peppers.current?.id ?? null),
  };
}
