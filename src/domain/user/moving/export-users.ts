import type { Queryable } from "../../../postgres/pool.ts";
import type { Audit } from "../../audit/audit.ts";
import type { AuditSource } from "../../audit/audit-event.ts";
import type { MovingStore } from "./moving-store.ts";
import type { UserRecord } from "./user-record.ts";

/**
 * Takes all users out, with their password hashes, in the order of their ids. The audit trail tells of it before the
 * first one is read. @throws AppError unavailable
 */
export type ExportUsers = (by: AuditSource) => AsyncIterable<UserRecord>;

const pageSize = 500;

/** Builds it. @param deps `db`: where users are read, a page at a time */
export function createExportUsers(deps: {
  readonly db: Queryable;
  readonly store: Pick<MovingStore, "list">;
  readonly audit: Pick<Audit, "recordAlone">;
}): ExportUsers {
  const { db, store, audit } = deps;
  return async function* exportUsers(by) {
    await audit.recordAlone({ type: "users.exported", ...by });
    let after = "";
    for (;;) {
      const page = await store.list(db, after, pageSize);
      yield* page;
      const last = page.at(-1)?.id;
      if (page.length < pageSize || last === undefined || last === null) return;
      after = last;
    }
  };
}
