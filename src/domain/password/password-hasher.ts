import { randomBytes, timingSafeEqual } from "node:crypto";
import type { Argon2Cost } from "../../hashing/hash-work.ts";
import { inSpan } from "../../lib/span.ts";
import { type Events, noEvents } from "../events.ts";
import type { Admission, UnreadableCause } from "./queue/admission.ts";
import type { Hashing } from "./queue/hashing.ts";
import { argon2Format, formatArgon2 } from "./formats/argon2.ts";
import type { StoredFormat } from "./formats/format.ts";
import { noPassword, type PasswordHash } from "./password-hash.ts";
import type { Pepper, Peppers } from "./peppers.ts";
import { parseHashFormat, parseStoredHash } from "./stored-formats.ts";

const hashBytes = 32;
const saltBytes = 16;

/**
 * What a password is to a stored hash. `unreadable`: the hash cannot be compared with any, since it is damaged, of an
 * unknown form, too costly, or made with a pepper that is gone.
 */
export type Verdict = "right" | "wrong" | "unreadable";

/** bcrypt looks at no more, and at a NUL at the end of what is shorter. */
const bcryptBytesMax = 72;

/**
 * Hashes passwords with Argon2id (RFC 9106), and verifies those that other systems have hashed, in each of the formats
 * of stored-formats.ts. Passwords are in NFC already. All of it goes through the queue, which refuses with AppError
 * overloaded.
 */
export interface PasswordHasher {
  hash(password: string, admission: Admission): Promise<PasswordHash>;
  /**
   * Whether it is the password of this hash. A hash that cannot be read takes the time of one that can.
   *
   * @param decoy the format of the hash that is made in place of one of unknown form; that of new hashes by default
   */
  verify(hash: PasswordHash, password: string, admission: Admission, decoy?: string): Promise<Verdict>;
  /** Does the work of a `verify` against a hash of this format, and tells nothing. */
  pretend(format: string, password: string, admission: Admission): Promise<void>;
  /** Refuses at once whom the queue has no place for, before anything else is spent on the call. */
  requireRoom(admission: Admission): Promise<void>;
  /**
   * Whether a hash is of another format, cost or pepper than new ones have, and the password that was right for it is
   * sure to be the one that it was made of: to bcrypt all that have their first 72 bytes in common are right, and to
   * HMAC, by which PBKDF2 and scrypt take it in, those that differ by NULs at their end.
   */
  isOutdated(hash: PasswordHash, password: string): boolean;
  /** The format of new hashes, as `pretend` takes it. */
  readonly format: string;
}

/**
 * @param options the cost of new hashes, the peppers, what computes them in their turn, and who is told of hashes that
 *   cannot be read (nobody by default)
 */
export function createPasswordHasher(options: {
  readonly cost: Argon2Cost;
  readonly peppers: Peppers;
  readonly hashing: Hashing;
  /** Nobody hears of what happens by default. */
  readonly events?: Events;
}): PasswordHasher {
  const { cost, peppers, hashing, events = noEvents } = options;
  const format = argon2Format(cost);
  const current: StoredFormat = { kind: "argon2id", ...cost, hashBytes };

  const compute = (
    format: StoredFormat,
    salt: Buffer,
    password: string,
    pepper: Pepper | null,
    admission: Admission,
  ): Promise<Uint8Array | Error> => {
    const work = { ...format, password: Buffer.from(password), salt, secret: pepper?.secret ?? null };
    // One digest takes no time, by which its users would be known, and their passwords be guessed.
    const isQuick = format.kind === "salted-digest";
    const works = isQuick ? [work, { ...work, ...current, salt: randomBytes(saltBytes) }] : [work];
    return inSpan("hash", format.kind, (span) =>
      // What lies before is the wait for a turn.
      hashing.run(works, admission, span === null ? undefined : () => span.addEvent("started")),
    );
  };

  const pretend = async (decoy: string, password: string, admission: Admission): Promise<void> => {
    const decoyFormat = parseHashFormat(decoy) ?? current;
    required(await compute(decoyFormat, randomBytes(saltBytes), password, peppers.current, admission));
  };

  const unreadable = (cause: UnreadableCause): Verdict => {
    events.emit("hash.unreadable", cause);
    return "unreadable";
  };

  return {
    format,
    requireRoom: (admission) => hashing.requireRoom(admission),
    async hash(password, admission) {
      const salt = randomBytes(saltBytes);
      const pepper = peppers.current;
      const hash = required(await compute(current, salt, password, pepper, admission));
      return { phc: formatArgon2(cost, salt, Buffer.from(hash)), pepperId: pepper?.id ?? null };
    },
    async verify(stored, password, admission, decoy = format) {
      const parsed = parseStoredHash(stored.phc);
      if (parsed === null) {
        await pretend(decoy, password, admission);
        return stored.phc === noPassword.phc ? "wrong" : unreadable("form");
      }
      const pepper = peppers.find(stored.pepperId);
      // A pepper costs nothing: any takes the time of the one that is gone.
      const known = pepper === undefined ? peppers.current : pepper;
      const hash = await compute(parsed.format, parsed.salt, password, known, admission);
      if (Error.isError(hash)) {
        await pretend(decoy, password, admission);
        return unreadable("refused");
      }
      if (pepper === undefined) return unreadable("pepper");
      const isRight = hash.byteLength === parsed.hash.byteLength && timingSafeEqual(hash, parsed.hash);
      return isRight ? "right" : "wrong";
    },
    pretend,
    isOutdated(stored, password) {
      const isCurrent =
        stored.phc.startsWith(`${format}$`) && stored.pepperId === (peppers.current?.id ?? null);
      return !isCurrent && isWhole(stored, password);
    },
  };
}

/** @throws the Error that stands in place of a hash */
function required(hash: Uint8Array | Error): Uint8Array {
  if (Error.isError(hash)) throw hash;
  return hash;
}

/** Whether a comparison has looked at the whole password. bcrypt takes a key round and round, so that a NUL is its end. */
function isWhole({ phc }: PasswordHash, password: string): boolean {
  switch (parseStoredHash(phc)?.format.kind) {
    case "bcrypt":
      return Buffer.byteLength(password) < bcryptBytesMax && !password.includes("\0");
    case "scrypt":
    case "firebase-scrypt":
    case "pbkdf2":
      return !password.includes("\0");
    default:
      return true;
  }
}
