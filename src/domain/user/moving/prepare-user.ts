import { createHmac, type KeyObject } from "node:crypto";
import { foldName } from "../../../lib/fold.ts";
import { noPassword, type PasswordHash } from "../../password/password-hash.ts";
import type { Peppers } from "../../password/peppers.ts";
import { importHash } from "../../password/stored-formats.ts";
import { isUserStatus, loginNameOf, userIds } from "../user.ts";
import { checkUserContent } from "../user-content.ts";
import { foldNames } from "../user-store.ts";
import type { MovedUser } from "./moving-store.ts";
import type { RecordProblem, UserRecord } from "./user-record.ts";

/** Checks a record, and makes of it what is written. */
export type PrepareUser = (record: UserRecord) => MovedUser | RecordProblem;

/** A clock elsewhere may be ahead. */
const aheadMaxMs = 86_400_000;

/**
 * @param deps `key`: the 32 bytes by which a record without an id gets one from its name, the same each time, so that a
 *   second run knows the user again
 */
export function createPrepareUser(deps: {
  readonly key: KeyObject;
  readonly peppers: Pick<Peppers, "find">;
}): PrepareUser {
  return (record) => {
    const names = readNames(record);
    const [problem] = checkUserContent({ ...record, ...names });
    if (problem !== undefined) return problem;
    const id = record.id ?? idOf(deps.key, foldName(loginNameOf(names)));
    if (!userIds.is(id)) {
      return {
        field: "id",
        code: "bad_form",
        detail: "must be a UUID, or at most 128 letters, digits and ._:|-",
      };
    }
    const { status, roles, displayName, locale, claims, mustChangePassword, createdAt, lastLoginAt } = record;
    if (!isUserStatus(status)) {
      return {
        field: "status",
        code: "bad_form",
        detail: "must be active, pending, suspended or deactivated",
      };
    }
    for (const [field, time] of [
      ["created_at", createdAt],
      ["last_login_at", lastLoginAt],
    ] as const) {
      if (time === null || isPast(time)) continue;
      return { field, code: "out_of_range", detail: "must be a time between 1970 and today" };
    }
    const passwordHash = readHash(deps.peppers, record);
    if ("detail" in passwordHash) return passwordHash;
    return {
      id,
      ...names,
      ...foldNames(names.username, names.email),
      passwordHash,
      status,
      roles,
      displayName,
      locale,
      claims,
      mustChangePassword,
      createdAt,
      lastLoginAt,
    };
  };
}

/** Systems that sign in by address have it for a name too; here a name holds no at sign. */
function readNames({ username, email }: UserRecord): Pick<UserRecord, "username" | "email"> {
  if (username === null || !username.includes("@")) return { username, email };
  const isSame = email === null || foldName(email) === foldName(username);
  return isSame ? { username: null, email: email ?? username } : { username, email };
}

function isPast(time: Date): boolean {
  return time.getTime() >= 0 && time.getTime() <= Date.now() + aheadMaxMs;
}

function readHash(
  peppers: Pick<Peppers, "find">,
  { passwordHash, pepperId }: UserRecord,
): PasswordHash | RecordProblem {
  if (passwordHash === null) return noPassword;
  const read = importHash(passwordHash);
  if ("problem" in read) return { field: "password_hash", code: "invalid", detail: read.problem };
  if (peppers.find(pepperId) !== undefined) return { ...read, pepperId };
  const detail = "was made with a pepper that PASSWORD_PEPPER does not hold";
  return { field: "password_pepper_id", code: "unknown", detail };
}

function idOf(key: KeyObject, foldedName: string): string {
  return userIds.from(createHmac("sha256", key).update(foldedName).digest());
}
