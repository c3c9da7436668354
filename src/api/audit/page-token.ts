import type { ListPosition } from "../../domain/audit/audit-trail.ts";
import { decodeBase64Url } from "../../lib/base64.ts";
import { invalidFields } from "../../errors/invalid.ts";

const form =
  /^([12]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z) (\d{1,18})$/;

/** The place of the last event of a page, opaque to callers. */
export function presentPageToken({ occurredAt, id }: ListPosition): string {
  return Buffer.from(`${occurredAt} ${id}`).toString("base64url");
}

/** @returns null for an empty token @throws AppError validation_failed for a token that this service did not make */
export function readPageToken(token: string): ListPosition | null {
  if (token === "") return null;
  const [, occurredAt, id] = form.exec(decodeBase64Url(token)?.toString() ?? "") ?? [];
  // February has no 30th, which the form lets through and the store does not.
  if (occurredAt !== undefined && id !== undefined && isOfCalendar(occurredAt)) return { occurredAt, id };
  const detail = "must be the next_page_token of an answer";
  throw invalidFields([{ field: "page_token", code: "bad_form", detail }]);
}

function isOfCalendar(time: string): boolean {
  const date = new Date(time);
  return !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 10) === time.slice(0, 10);
}
