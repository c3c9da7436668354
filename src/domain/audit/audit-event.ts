import type { Origin } from "../session/session.ts";

/** What can happen that the audit trail tells of. */
export const auditEventTypes = [
  "login.succeeded",
  "login.failed",
  "login.throttled",
  "refresh.reused",
  "refresh.caught_up",
  "refresh.replayed_elsewhere",
  "refresh.late_answer",
  "session.ended",
  "sessions.ended",
  "token.revoked",
  "password.changed",
  "password.change_failed",
  "user.created",
  "user.status_changed",
  "user.updated",
  "user.password_change_required",
  "user.deleted",
  "devices.forgotten",
  "role.created",
  "role.updated",
  "role.deleted",
  "users.exported",
  "client.created",
  "client.updated",
  "client.secret_rotated",
  "client.deleted",
  "client.authentication_failed",
  "key.created",
  "key.rotated",
  "key.dropped",
  "keys.resealed",
  "store.recovered",
] as const;

/** The type of an audit event. */
export type AuditEventType = (typeof auditEventTypes)[number];

/** Whether a text names a type of audit events. */
export function isAuditEventType(text: string): text is AuditEventType {
  return (auditEventTypes as readonly string[]).includes(text);
}

/** Who did it: a signed-in user, a client by itself, somebody at the command line, the service, or nobody known. */
export type AuditActor =
  | { readonly kind: "user" | "client"; readonly id: string }
  | { readonly kind: "operator" | "service" | "anonymous" };

/** Who did something, and from where. */
export interface AuditSource {
  readonly actor: AuditActor;
  /** Null for what no request caused. */
  readonly origin: Origin | null;
}

/** Somebody at the command line. Who that is, the system's own trail knows. */
export const byOperator: AuditSource = { actor: { kind: "operator" }, origin: null };

/** The service by itself. */
export const byService: AuditSource = { actor: { kind: "service" }, origin: null };

/** A signed-in user. */
export function byUser(id: string, origin: Origin): AuditSource {
  return { actor: { kind: "user", id }, origin };
}

/** A client that has authenticated. */
export function byClient(id: string, origin: Origin): AuditSource {
  return { actor: { kind: "client", id }, origin };
}

/** Somebody who has not shown who it is. */
export function byAnyone(origin: Origin): AuditSource {
  return { actor: { kind: "anonymous" }, origin };
}

/** One security event. It holds no secret, and no name as somebody typed it: people type passwords there. */
export interface AuditEvent extends AuditSource {
  readonly type: AuditEventType;
  /** The user whom it is about. */
  readonly userId?: string | undefined;
  /** HMAC of the folded name that was tried, in place of a user id where there is no such user. */
  readonly nameHmac?: string | undefined;
  readonly sessionId?: string | undefined;
  /** A registered client. An id that somebody only claimed is typed text, and stays out. */
  readonly clientId?: string | undefined;
  /** The `kid` of a signing key. */
  readonly keyId?: string | undefined;
  /** Why it failed, as a reason of the registry or another stable snake_case word; of a change, what was changed. */
  readonly reason?: string | undefined;
  /** How many times it happened, where one row stands for several. */
  readonly count?: number | undefined;
}
