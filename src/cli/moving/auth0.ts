import type { ImportLine } from "../../domain/user/moving/import-users.ts";
import type { UserRecord } from "../../domain/user/moving/user-record.ts";
import { type Item, readLines } from "./items.ts";
import {
  emptyRecord,
  isObject,
  type JsonObject,
  parseObject,
  readRecords,
  RowError,
  textOf,
  timeOf,
} from "./row-error.ts";

/** The hashes of Auth0's file of password hashes, by the ids of their users. */
export type Auth0Hashes = ReadonlyMap<string, string>;

/**
 * Reads Auth0's export of users, one JSON object a line, or its file of password hashes, which holds addresses too.
 *
 * @param hashes of the file of password hashes, where the users are read from the export
 */
export function readAuth0(
  text: AsyncIterable<string>,
  { hashes }: { readonly hashes: Auth0Hashes },
): AsyncIterable<ImportLine> {
  return readRecords(readLines(text), (user) => readUser(user, hashes));
}

/** Reads the file of password hashes. About 200 bytes of memory for each. @throws Error where a line cannot be read */
export async function readAuth0Hashes(text: AsyncIterable<string>): Promise<Auth0Hashes> {
  const hashes = new Map<string, string>();
  for await (const item of readLines(text)) {
    const [id, hash] = readHash(item);
    if (hash !== null) hashes.set(id, hash);
  }
  return hashes;
}

function readHash({ line, text }: Item): [string, string | null] {
  try {
    const user = parseObject(text);
    return [idOf(user), textOf(user, "passwordHash")];
  } catch (error) {
    throw new Error(`Line ${line} of the file of hashes cannot be read.`, { cause: error });
  }
}

function readUser(user: JsonObject, hashes: Auth0Hashes): UserRecord {
  const id = idOf(user);
  const [email, name] = [textOf(user, "email") ?? firstAddress(user["identifiers"]), textOf(user, "name")];
  return {
    ...emptyRecord,
    id,
    username: textOf(user, "username"),
    email,
    // Who has given no name has the address for one.
    displayName: name === email ? null : name,
    status: user["blocked"] === true ? "suspended" : "active",
    createdAt: timeOf(user, "created_at"),
    lastLoginAt: timeOf(user, "last_login"),
    passwordHash: textOf(user, "passwordHash") ?? hashes.get(id) ?? null,
  };
}

/** The `sub` that Auth0 gave: `user_id` in the export, and made of `_id` or `alt_id` in the file of password hashes. */
function idOf(user: JsonObject): string {
  const id = textOf(user, "user_id") ?? textOf(user, "Id");
  if (id !== null) return id;
  const { _id: own } = user;
  const part = textOf(user, "alt_id") ?? (isObject(own) ? textOf(own, "$oid") : null);
  if (part === null) throw new RowError("user_id", "required", "is missing");
  return `auth0|${part}`;
}

function firstAddress(identifiers: unknown): string | null {
  const found = Array.isArray(identifiers)
    ? identifiers.filter(isObject).find(({ type }) => type === "email")
    : undefined;
  return found === undefined ? null : textOf(found, "value");
}
