import type { AuditFilter, FollowCursor } from "../../domain/audit/audit-trail.ts";
import { invalidFields } from "../../errors/invalid.ts";
import { createPositionTokens } from "../reading/page-token.ts";
import { isStoredTime } from "../reading/stored-time.ts";

/** A follower's cursors as the contract shows them. */
export interface FollowCursors {
  present(cursor: FollowCursor): string;
  /** @returns null for an empty text @throws AppError validation_failed for one that this stream did not have */
  read(token: string): FollowCursor | null;
}

// A transaction's id has 64 bits without a sign, of which 19 digits never run out of range.
const xactForm = /^\d{1,19}$/;
const idForm = /^\d{1,18}$/;
const shortTimeForm = /^(.{19}\.\d{3})Z$/;

/** @param filter a cursor is good with these conditions alone */
export function createFollowCursors(filter: AuditFilter): FollowCursors {
  const tokens = createPositionTokens(["follow", filter]);
  return {
    present: ({ xact, id, since }) => tokens.write([xact, id, since]),
    read(token) {
      if (token === "") return null;
      const position = tokens.read(token) ?? [];
      const [xact = "", id = "", since = ""] = position;
      const isTime = isStoredTime(since.replace(shortTimeForm, "$1000Z"));
      const isWhole = position.length === 3 && xactForm.test(xact) && idForm.test(id) && isTime;
      if (isWhole) return { xact, id, since };
      const detail = "must be a cursor of a message of this stream, with the same conditions";
      throw invalidFields([{ field: "cursor", code: "bad_form", detail }]);
    },
  };
}
