/** The costs of Argon2id (RFC 9106 section 3.1), with memory in KiB. */
export interface Argon2Cost {
  readonly memoryKib: number;
  readonly iterations: number;
  readonly parallelism: number;
}

/** The three of RFC 9106. New hashes are Argon2id's. */
export type Argon2Variant = "argon2id" | "argon2i" | "argon2d";

/** Argon2 (RFC 9106), of version 0x13. */
export interface Argon2Work extends Argon2Cost {
  readonly kind: Argon2Variant;
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

/** Firebase's scrypt: its result is the key stream of AES-256-CTR under the key that scrypt derives with one lane. */
export interface FirebaseScryptWork extends Omit<ScryptWork, "kind" | "parallelization"> {
  readonly kind: "firebase-scrypt";
}

/** The digests of PBKDF2 and of salted hashes, by their names in OpenSSL. */
export type DigestName = "sha1" | "sha256" | "sha512";

/** PBKDF2 (RFC 8018) with HMAC. */
export interface Pbkdf2Work {
  readonly kind: "pbkdf2";
  readonly digest: DigestName;
  readonly password: Uint8Array;
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly hashBytes: number;
}

/** One digest of the password and the salt after it. */
export interface SaltedDigestWork {
  readonly kind: "salted-digest";
  readonly digest: DigestName;
  readonly password: Uint8Array;
  readonly salt: Uint8Array;
}

/** What to derive from a password. The caller has checked that its cost is bounded. */
export type HashWork =
  | Argon2Work
  | BcryptWork
  | ScryptWork
  | FirebaseScryptWork
  | Pbkdf2Work
  | SaltedDigestWork;

/** Derives the bytes of a password hash. */
export interface HashEngine {
  /** @throws AppError unavailable if the hashing process ended meanwhile */
  run(work: HashWork): Promise<Uint8Array>;
}
