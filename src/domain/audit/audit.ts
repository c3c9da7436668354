import type { Queryable } from "../../postgres/pool.ts";
import type { AuditEvent } from "./audit-event.ts";

/** The audit trail. */
export interface Audit {
  /**
   * Writes an event down, within the transaction that it tells of where there is one; otherwise before the
   * answer. It resolves when the row is durable, or as durable as the transaction.
   *
   * @throws AppError unavailable
   */
  record(event: AuditEvent, tx?: Queryable): Promise<void>;
}
