import { type AuditSource, byOperator } from "../audit/audit-event.ts";
import type { Origin } from "../session/session.ts";
import { permissions } from "./permissions.ts";
import type { Standing } from "./refusal.ts";

/** A user or a client who administers, as the store has them now; or somebody at the command line of the stores. */
export interface Administrator extends Standing {
  readonly kind: "user" | "client" | "operator";
  /** The user's id, or the client's; empty for an operator. */
  readonly id: string;
}

/** Whoever has the database and the secret keys: nothing is hidden from them, so they hold every permission. */
export const operator: Administrator = {
  kind: "operator",
  id: "",
  userId: null,
  permissions: new Set(permissions),
};

/** Who makes a change: their standing when the call began, and what the audit trail says of them. */
export interface Changer {
  readonly standing: Standing;
  readonly by: AuditSource;
}

/** The operator, as who makes a change. @internal for the tests */
export const changingOperator: Changer = { standing: operator, by: byOperator };

/** Whoever administers, at a place: for the audit trail. */
export function byAdministrator({ kind, id }: Administrator, origin: Origin): AuditSource {
  return kind === "operator" ? byOperator : { actor: { kind, id }, origin };
}
