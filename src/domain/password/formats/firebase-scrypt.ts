import { decodeBase64 } from "../../../lib/base64.ts";
import type { HashFamily, HashProblem, StoredFormat } from "./format.ts";
import { formatPhc, parseNumbers, parsePhc, phcForm } from "./phc.ts";
import { scryptCostProblem } from "./scrypt.ts";

/** The password hash parameters of a Firebase project, as its console shows them. */
export interface FirebaseParameters {
  readonly signerKey: Buffer;
  readonly saltSeparator: Buffer;
  /** The block size of scrypt. */
  readonly rounds: number;
  /** The logarithm of scrypt's N, to base 2. */
  readonly memCost: number;
}

const prefixForm = /^\$firebase-scrypt\$([a-z0-9=,]{1,64})$/;
const form = phcForm("\\$firebase-scrypt\\$[a-z0-9=,]{1,64}", 1);
/** Firebase encrypts a signer key of this length. */
const hashBytes = 64;

/**
 * Firebase's scrypt (https://github.com/firebase/scrypt): the key that scrypt derives encrypts the project's signer key
 * by AES-256-CTR, and that is the hash. What is stored is the key stream: the hash without the signer key, which would
 * otherwise have to be kept. The salt is followed by the project's separator.
 */
export const firebaseScrypt: HashFamily = {
  form,
  parseFormat,
  parse(text) {
    const parsed = parsePhc(form, text, parseFormat);
    if (parsed === null || "problem" in parsed || parsed.hash.byteLength === hashBytes) return parsed;
    return { problem: `must have ${hashBytes} bytes` };
  },
  normalize: (text) => (text.startsWith("$firebase-scrypt$") ? text : null),
};

/**
 * Writes the stored form of a user's `passwordHash` and `salt` in Firebase's export, which have base 64 of either kind.
 *
 * @returns null where one of them cannot be read, or the hash is not as long as the signer key
 */
export function formatFirebaseScrypt(
  { signerKey, saltSeparator, rounds, memCost }: FirebaseParameters,
  saltText: string,
  hashText: string,
): string | null {
  const [salt, hash] = [decode(saltText), decode(hashText)];
  if (salt === null || hash === null || hash.byteLength !== signerKey.byteLength) return null;
  const keyStream = hash.map((byte, index) => byte ^ (signerKey[index] ?? 0));
  const prefix = `$firebase-scrypt$ln=${memCost},r=${rounds}`;
  return formatPhc(prefix, Buffer.concat([salt, saltSeparator]), keyStream);
}

function parseFormat(text: string): StoredFormat | HashProblem | null {
  const match = prefixForm.exec(text);
  if (match === null) return null;
  const numbers = parseNumbers(match[1] ?? "", ["ln", "r"]);
  if (numbers === null) return { problem: "must have the parameters ln and r" };
  const { ln: costLog2, r: blockSize } = numbers;
  const problem = scryptCostProblem(costLog2, blockSize, 1);
  return problem ?? { kind: "firebase-scrypt", costLog2, blockSize, hashBytes };
}

function decode(text: string): Buffer | null {
  const usual = text.replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "");
  return decodeBase64(usual.padEnd(Math.ceil(usual.length / 4) * 4, "="));
}
