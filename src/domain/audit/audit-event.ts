import type { Origin } from "../session/session.ts";

/** What can happen that the audit trail tells of. */
export const auditEventTypes = [
  "login.succeeded",
  "login.failed",
  "login.throttled",
  "refresh.reused",
  "refresh.caught_up",
  "refresh.replayed_elsewhere",
  "session.ended",
  "sessions.ended",
  "token.revoked",
  "password.changed",
  "user.created",
  "user.status_changed",
  "client.created",
  "client.secret_rotated",
  "client.deleted",
  "key.created",
  "key.rotated",
  "key.dropped",
  "store.recovered",
] as const;

/** The type of an audit event. */
export type AuditEventType = (typeof auditEventTypes)[number];

/** Who did it: a signed-in user, a client by itself, somebody at the command line, the service, or nobody known. */
export type AuditActor =
  | { readonly kind: "user" | "client"; readonly id: string }
  | { readonly kind: "operator" | "service" | "anonymous" };

/** One security event. It holds no secret, and no name as somebody typed it: people type passwords there. */
export interface AuditEvent {
  readonly type: AuditEventType;
  readonly actor: AuditActor;
  /** The user whom it is about. */
  readonly userId?: string | undefined;
  /** HMAC of the folded name that was tried, in place of a user id where there is no such user. */
  readonly nameHmac?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly clientId?: string | undefined;
  /** Why it failed, as a reason of the registry or another stable snake_case word. */
  readonly reason?: string | undefined;
  /** How many times it happened, where one row stands for several. */
  readonly count?: number | undefined;
  /** Null for what no request caused. */
  readonly origin: Origin | null;
}
