import { defineId, type IdKind } from "../../lib/random-id.ts";

/** A session's public id, the `sid` of its access tokens. It says nothing about its refresh token. */
export type SessionId = `ses_${string}`;

/** Makes and recognises session ids. */
export const sessionIds: IdKind<SessionId> = defineId("ses");

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

/** Where a login comes from, as the session keeps it. */
export interface Origin {
  /** Empty where it is not known. */
  readonly clientAddress: string;
  /** Empty where the caller did not say. */
  readonly userAgent: string;
}
