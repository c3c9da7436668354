import { type AuditSource, byOperator } from "../audit/audit-event.ts";
import type { Origin } from "../session/session.ts";
import { permissions } from "./permissions.ts";
import type { Standing } from "./refusal.ts";

/** A user or a client who administers, as the store has them now. */
export interface Administrator extends Standing {
  readonly kind: "user" | "client";
  /** The user's id, or the client's. */
  readonly id: string;
}

/** Who makes a change: their standing when the call began, and what the audit trail says of them. */
export interface Changer {
  readonly standing: Standing;
  readonly by: AuditSource;
}

/** Somebody at the command line, who may do everything. */
export const operator: Changer = {
  standing: { userId: null, permissions: new Set(permissions) },
  by: byOperator,
};

/** Whoever administers, at a place: for the audit trail. */
export function byAdministrator({ kind, id }: Administrator, origin: Origin): AuditSource {
  return { actor: { kind, id }, origin };
}
