import { notOurs } from "../reading/page-token.ts";
import type { ListPosition } from "../../domain/audit/audit-trail.ts";
import { isStoredTime } from "../reading/stored-time.ts";

const idForm = /^\d{1,18}$/;

/**
 * The place of an event in the list, from a page token.
 *
 * @returns null for none @throws AppError validation_failed for a place that no event has
 */
export function readListPosition(after: readonly string[] | null): ListPosition | null {
  if (after === null) return null;
  const [occurredAt = "", id = ""] = after;
  if (after.length === 2 && isStoredTime(occurredAt) && idForm.test(id)) return { occurredAt, id };
  throw notOurs();
}
