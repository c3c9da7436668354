import { defineId, type IdKind } from "../../lib/random-id.ts";

/** A session's public id, the `sid` of its access tokens. It says nothing about its refresh token. */
export type SessionId = `ses_${string}`;

/** Makes and recognises session ids. */
export const sessionIds: IdKind<SessionId> = defineId("ses");

/** A session that has just begun. Times are seconds since the epoch, by Postgres' clock. */
export interface BegunSession {
  readonly beganAt: number;
  readonly expiresAt: number;
}
