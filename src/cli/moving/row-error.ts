import type { ImportLine } from "../../domain/user/moving/import-users.ts";
import type { RecordProblem, UserRecord } from "../../domain/user/moving/user-record.ts";
import type { Item } from "./items.ts";

/** A record that cannot be read. The others of its file can. */
export class RowError extends Error {
  readonly problem: RecordProblem;

  constructor(field: string, code: RecordProblem["code"], detail: string) {
    super(detail);
    this.problem = { field, code, detail };
  }
}

/** A JSON object, of which nothing is known. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A record without anything. */
export const emptyRecord: UserRecord = {
  id: null,
  username: null,
  email: null,
  displayName: null,
  locale: null,
  status: "active",
  roles: [],
  claims: null,
  mustChangePassword: false,
  createdAt: null,
  lastLoginAt: null,
  passwordHash: null,
  pepperId: null,
};

/** Reads each item as a JSON object, and that as a record. */
export async function* readRecords(
  items: AsyncIterable<Item>,
  read: (object: JsonObject) => UserRecord,
): AsyncGenerator<ImportLine> {
  for await (const { line, text } of items) yield readLine(line, () => read(parseObject(text)));
}

/** A record, or why there is none. */
export function readLine(line: number, read: () => UserRecord): ImportLine {
  try {
    return { line, record: read() };
  } catch (error) {
    if (error instanceof RowError) return { line, record: error.problem };
    throw error;
  }
}

/** @throws RowError where a text is no JSON object */
export function parseObject(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RowError("", "malformed", "is no JSON");
  }
  if (isObject(value)) return value;
  throw new RowError("", "malformed", "is no JSON object");
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A member's text; null where it is missing, null or empty. @throws RowError where it is of another type */
export function textOf(object: JsonObject, name: string): string | null {
  const value = object[name] ?? null;
  if (value === null || value === "") return null;
  if (typeof value === "string") return value;
  throw new RowError(name, "wrong_type", "must be a text");
}

/** A member's texts; none where it is missing or null. @throws RowError where it is of another type */
export function textsOf(object: JsonObject, name: string): string[] {
  const value = object[name] ?? [];
  if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value;
  throw new RowError(name, "wrong_type", "must be a list of texts");
}

/** A member's object; null where it is missing or null. @throws RowError where it is of another type */
export function objectOf(object: JsonObject, name: string): JsonObject | null {
  const value = object[name] ?? null;
  if (value === null || isObject(value)) return value;
  throw new RowError(name, "wrong_type", "must be an object");
}

/** A member's yes or no; no where it is missing or null. @throws RowError where it is of another type */
export function flagOf(object: JsonObject, name: string): boolean {
  const value = object[name] ?? false;
  if (typeof value === "boolean") return value;
  throw new RowError(name, "wrong_type", "must be true or false");
}

/**
 * A member's time: milliseconds since the epoch as a number or in digits, RFC 3339, or as PostgreSQL writes it.
 *
 * @throws RowError where it is none
 */
export function timeOf(object: JsonObject, name: string): Date | null {
  const value = object[name] ?? null;
  if (value === null || value === "") return null;
  const time = typeof value === "number" ? new Date(value) : parseTime(value);
  if (!Number.isNaN(time.getTime())) return time;
  throw new RowError(name, "bad_form", "must be a time");
}

const timeForm = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?) ?(Z|UTC|[+-]\d{2}(?::?\d{2})?)$/;

function parseTime(value: unknown): Date {
  if (typeof value !== "string") return new Date(Number.NaN);
  if (/^\d{1,15}$/.test(value)) return new Date(Number(value));
  const [, day, time, zone = ""] = timeForm.exec(value) ?? [];
  const offset =
    zone === "UTC"
      ? "Z"
      : zone.replace(
          /^([+-]\d{2}):?(\d{2})?$/,
          (_, hours: string, minutes = "00") => `${hours}:${String(minutes)}`,
        );
  return new Date(`${day}T${time}${offset}`);
}
