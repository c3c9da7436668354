import {
  type FirebaseParameters,
  formatFirebaseScrypt,
} from "../../domain/password/formats/firebase-scrypt.ts";
import type { ImportLine } from "../../domain/user/moving/import-users.ts";
import type { UserRecord } from "../../domain/user/moving/user-record.ts";
import { decodeBase64 } from "../../lib/base64.ts";
import { readJsonItems } from "./json-items.ts";
import { emptyRecord, type JsonObject, readRecords, RowError, textOf, timeOf } from "./row-error.ts";

/** What Firebase writes for a hash to whom may not read it: "REDACTED" in base 64. */
const redacted = "UkVEQUNURUQ";

/**
 * Reads the file of `firebase auth:export`, in JSON: people with an address and no name.
 *
 * @param parameters of the project's hashes; null where they are left out
 */
export function readFirebase(
  text: AsyncIterable<string>,
  { parameters }: { readonly parameters: FirebaseParameters | null },
): AsyncIterable<ImportLine> {
  return readRecords(readJsonItems(text, "users"), (user) => readUser(user, parameters));
}

/**
 * Reads the password hash parameters as the Firebase console shows them, `hash_config { algorithm: SCRYPT, … }`, or the
 * same in JSON.
 *
 * @throws Error where one is missing
 */
export function parseFirebaseParameters(text: string): FirebaseParameters {
  const read = (name: string): string =>
    new RegExp(`\\b${name}"?\\s*:\\s*"?([A-Za-z0-9+/=_]+)`).exec(text)?.[1] ?? "";
  const signerKey = decodeBase64(read("base64_signer_key"));
  const saltSeparator = decodeBase64(read("base64_salt_separator"));
  const [rounds, memCost] = [Number(read("rounds")), Number(read("mem_cost"))];
  const isComplete = read("algorithm") === "SCRYPT" && rounds > 0 && memCost > 0;
  if (isComplete && signerKey !== null && signerKey.byteLength > 0 && saltSeparator !== null) {
    return { signerKey, saltSeparator, rounds, memCost };
  }
  throw new Error(
    "The parameters must have algorithm: SCRYPT, base64_signer_key, base64_salt_separator, rounds and mem_cost.",
  );
}

function readUser(user: JsonObject, parameters: FirebaseParameters | null): UserRecord {
  if (textOf(user, "email") === null) {
    throw new RowError("email", "required", "is missing: the user has no address");
  }
  return {
    ...emptyRecord,
    id: textOf(user, "localId"),
    email: textOf(user, "email"),
    displayName: textOf(user, "displayName"),
    status: user["disabled"] === true ? "suspended" : "active",
    createdAt: timeOf(user, "createdAt"),
    lastLoginAt: timeOf(user, "lastSignedInAt"),
    passwordHash: parameters === null ? null : readHash(user, parameters),
  };
}

function readHash(user: JsonObject, parameters: FirebaseParameters): string | null {
  const [hash, salt] = [textOf(user, "passwordHash"), textOf(user, "salt")];
  if (hash === null) return null;
  if (hash.startsWith(redacted)) {
    throw new RowError("passwordHash", "invalid", "is REDACTED: export with an account that may read hashes");
  }
  const phc = formatFirebaseScrypt(parameters, salt ?? "", hash);
  if (phc !== null) return phc;
  throw new RowError("passwordHash", "invalid", "is not as long as the signer key, or has no salt");
}
