import type { ImportLine } from "../../domain/user/moving/import-users.ts";
import type { UserRecord } from "../../domain/user/moving/user-record.ts";
import { readCsvRows } from "./csv-rows.ts";
import {
  emptyRecord,
  type JsonObject,
  parseObject,
  readLine,
  RowError,
  textOf,
  timeOf,
} from "./row-error.ts";

/**
 * Reads Supabase's table `auth.users` as CSV: people with an address and no name. Needed are the columns id, email and
 * encrypted_password; others are read where they are there.
 */
export async function* readSupabase(text: AsyncIterable<string>): AsyncGenerator<ImportLine> {
  for await (const { line, cells } of readCsvRows(text)) {
    // As psql and the dashboard write what is null.
    const known = [...cells].filter(([, cell]) => !["NULL", "null", "\\N"].includes(cell));
    yield readLine(line, () => readUser(Object.fromEntries(known), cells));
  }
}

function readUser(row: JsonObject, columns: ReadonlyMap<string, string>): UserRecord {
  for (const name of ["id", "email", "encrypted_password"]) {
    if (!columns.has(name)) throw new RowError(name, "required", "is a column that is missing");
  }
  if (timeOf(row, "deleted_at") !== null) {
    throw new RowError("deleted_at", "not_allowed", "says that the user is deleted");
  }
  if (textOf(row, "email") === null) {
    throw new RowError("email", "required", "is empty: the user has no address");
  }
  return {
    ...emptyRecord,
    id: textOf(row, "id"),
    email: textOf(row, "email"),
    displayName: textOf(parseObject(textOf(row, "raw_user_meta_data") ?? "{}"), "name"),
    status: statusOf(row, columns),
    createdAt: timeOf(row, "created_at"),
    lastLoginAt: timeOf(row, "last_sign_in_at"),
    passwordHash: textOf(row, "encrypted_password"),
  };
}

/** Who has not confirmed the address cannot sign in there either. */
function statusOf(row: JsonObject, columns: ReadonlyMap<string, string>): string {
  const bannedUntil = timeOf(row, "banned_until");
  if (bannedUntil !== null && bannedUntil.getTime() > Date.now()) return "suspended";
  const isConfirmed = !columns.has("email_confirmed_at") || timeOf(row, "email_confirmed_at") !== null;
  return isConfirmed ? "active" : "pending";
}
