import { defineId, type IdKind } from "../../lib/random-id.ts";

/** A session's public id, the `sid` of its access tokens. It says nothing about its refresh token. */
export type SessionId = `ses_${string}`;

/** Makes and recognises session ids. */
export const sessionIds: IdKind<SessionId> = defineId("ses");

/** A way in which a user has proved who it is, by its name in RFC 8176: the members of `amr`. */
export type AuthMethod = "pwd";

/** A session as its user may see it. */
export interface Session {
  readonly id: SessionId;
  readonly clientId: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  readonly idleExpiresAt: Date;
  readonly expiresAt: Date;
  readonly clientAddress: string | null;
  readonly userAgent: string | null;
}

/** Which session it is, and whose. */
export interface SessionRef {
  readonly id: SessionId;
  readonly userId: string;
}

/** A session that has just ended. */
export interface EndedSession extends SessionRef {
  readonly clientId: string;
}

/** Where a call comes from, as the session and the audit trail keep it. */
export interface Origin {
  /** The request's id, to find its log line by. */
  readonly requestId: string;
  /** Empty where it is not known. */
  readonly clientAddress: string;
  /** Empty where the caller did not say. */
  readonly userAgent: string;
}
