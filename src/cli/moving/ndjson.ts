import type { ImportLine } from "../../domain/user/moving/import-users.ts";
import type { UserRecord } from "../../domain/user/moving/user-record.ts";
import { readLines } from "./items.ts";
import {
  flagOf,
  type JsonObject,
  objectOf,
  readRecords,
  RowError,
  textOf,
  textsOf,
  timeOf,
} from "./row-error.ts";

/** The members of a record, as `user export` writes them. */
const members = [
  "id",
  "username",
  "email",
  "display_name",
  "locale",
  "status",
  "roles",
  "claims",
  "must_change_password",
  "created_at",
  "last_login_at",
  "password_hash",
  "password_pepper_id",
] as const;

/** Reads our own form: one JSON object a line. */
export function readNdjson(text: AsyncIterable<string>): AsyncIterable<ImportLine> {
  return readRecords(readLines(text), readMembers);
}

/** @throws RowError where a member is unknown or has the wrong type */
export function readMembers(object: JsonObject): UserRecord {
  for (const name of Object.keys(object)) {
    if (!(members as readonly string[]).includes(name)) {
      throw new RowError("", "unknown", `has members other than ${members.join(", ")}`);
    }
  }
  return {
    id: textOf(object, "id"),
    username: textOf(object, "username"),
    email: textOf(object, "email"),
    displayName: textOf(object, "display_name"),
    locale: textOf(object, "locale"),
    status: textOf(object, "status") ?? "active",
    roles: textsOf(object, "roles"),
    claims: objectOf(object, "claims"),
    mustChangePassword: flagOf(object, "must_change_password"),
    createdAt: timeOf(object, "created_at"),
    lastLoginAt: timeOf(object, "last_login_at"),
    passwordHash: textOf(object, "password_hash"),
    pepperId: textOf(object, "password_pepper_id"),
  };
}

/** Writes a record as one of its lines. */
export function presentRecord(record: UserRecord): string {
  return JSON.stringify({
    id: record.id,
    username: record.username,
    email: record.email,
    display_name: record.displayName,
    locale: record.locale,
    status: record.status,
    roles: record.roles,
    claims: record.claims,
    must_change_password: record.mustChangePassword,
    created_at: record.createdAt?.toISOString() ?? null,
    last_login_at: record.lastLoginAt?.toISOString() ?? null,
    password_hash: record.passwordHash,
    password_pepper_id: record.pepperId,
  });
}
