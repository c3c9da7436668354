/** The costs of Argon2id (RFC 9106 section 3.1), with memory in KiB. */
export interface Argon2Cost {
  readonly memoryKib: number;
  readonly iterations: number;
  readonly parallelism: number;
}

/** Argon2id (RFC 9106). */
export interface Argon2Work extends Argon2Cost {
  readonly kind: "argon2id";
  readonly password: Uint8Array;
  readonly salt: Uint8Array;
  /** The pepper; null for none. */
  readonly secret: Uint8Array | null;
  readonly hashBytes: number;
}

/** bcrypt. Its result is the hash's 31 characters, as bytes: the last of them has bits to spare. */
export interface BcryptWork {
  readonly kind: "bcrypt";
  /** bcrypt ignores everything after 72 bytes. */
  readonly password: Uint8Array;
  /** 16 bytes. */
  readonly salt: Uint8Array;
  /** The logarithm of its rounds, to base 2. */
  readonly cost: number;
}

/** scrypt (RFC 7914). */
export interface ScryptWork {
  readonly kind: "scrypt";
  readonly password: Uint8Array;
  readonly salt: Uint8Array;
  /** The logarithm of N, to base 2. */
  readonly costLog2: number;
  readonly blockSize: number;
  readonly parallelization: number;
  readonly hashBytes: number;
}

/** What to derive from a password. The caller has checked that its cost is bounded. */
export type HashWork = Argon2Work | BcryptWork | ScryptWork;

/** Derives the bytes of a password hash. */
export interface HashEngine {
  /** @throws AppError unavailable if the hashing process ended meanwhile */
  run(work: HashWork): Promise<Uint8Array>;
}
