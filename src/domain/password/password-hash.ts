import type { Argon2Cost } from "../../hashing/hash-work.ts";

/** A stored password hash: a PHC string, and the id of the pepper that it was made with. */
export interface PasswordHash {
  readonly phc: string;
  readonly pepperId: string | null;
}

/** An Argon2id PHC string, taken apart. */
export interface ParsedArgon2 {
  readonly cost: Argon2Cost;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** A PHC string of Argon2id. Of its parameters only the signs are told here. */
export const argon2Form: RegExp =
  /^\$argon2id\$v=19\$([a-z0-9=,]{1,64})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;
const memoryKibMax = 1_048_576;
const iterationsMax = 64;
const parallelismMax = 16;
/** Memory times passes: some seconds of one core. */
const workKibMax = 8_388_608;

/**
 * Writes a PHC string with its parameters in the order of the reference implementation (m, t, p),
 * which the reference decoder insists on.
 */
export function formatArgon2(cost: Argon2Cost, salt: Buffer, hash: Buffer): string {
  return `${argon2Format(cost)}$${encode(salt)}$${encode(hash)}`;
}

/** The PHC string up to its salt: what two hashes of equal format and cost have in common. */
export function argon2Format(cost: Argon2Cost): string {
  return `$argon2id$v=19$m=${cost.memoryKib},t=${cost.iterations},p=${cost.parallelism}`;
}

/**
 * Reads a PHC string of Argon2id, with the parameters in any order.
 *
 * @returns null where it is none, or where a cost is beyond what this service is ready to spend
 */
export function parseArgon2(phc: string): ParsedArgon2 | null {
  const match = argon2Form.exec(phc);
  const cost = parseCost(match?.[1] ?? "");
  if (match === null || cost === null) return null;
  return { cost, salt: Buffer.from(match[2] ?? "", "base64"), hash: Buffer.from(match[3] ?? "", "base64") };
}

/** Reads the cost from a format, as `argon2Format` writes it. */
export function parseArgon2Format(format: string): Argon2Cost | null {
  const match = /^\$argon2id\$v=19\$([a-z0-9=,]{1,64})$/.exec(format);
  return parseCost(match?.[1] ?? "");
}

function parseCost(text: string): Argon2Cost | null {
  const values = new Map<string, number>();
  for (const part of text.split(",")) {
    const match = /^([mtp])=([1-9]\d{0,6})$/.exec(part);
    if (match === null || values.has(match[1] ?? "")) return null;
    values.set(match[1] ?? "", Number(match[2]));
  }
  const cost = {
    memoryKib: values.get("m") ?? 0,
    iterations: values.get("t") ?? 0,
    parallelism: values.get("p") ?? 0,
  };
  const bounded =
    cost.memoryKib <= memoryKibMax &&
    cost.iterations <= iterationsMax &&
    cost.memoryKib * cost.iterations <= workKibMax &&
    cost.parallelism <= parallelismMax;
  return bounded && cost.parallelism > 0 && cost.iterations > 0 && cost.memoryKib >= 8 * cost.parallelism
    ? cost
    : null;
}

/** Base 64 without padding, as PHC strings have it. */
function encode(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}
