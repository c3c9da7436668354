import type { Database, Queryable } from "../../postgres/pool.ts";
import type { Audit } from "../audit/audit.ts";
import { type AuditSource, byAnyone } from "../audit/audit-event.ts";
import type { EndedSession, Origin } from "./session.ts";
import { type SessionEnd, sessionEnded } from "./session-ended.ts";
import type { SessionStore } from "./session-store.ts";

/** What the end of sessions is made of; see SessionsDeps. */
export interface EndSessionsDeps {
  readonly db: Pick<Database, "transaction">;
  readonly store: Pick<SessionStore, "endByHandle" | "endById" | "endAllOf">;
  readonly users: {
    /** Moves the user's counter on, and locks the user's row. */
    countUp(tx: Queryable, userId: string): Promise<void>;
  };
  readonly audit: Pick<Audit, "record">;
}

/** The ways in which sessions end, each in one transaction with its event. */
export interface EndSessions {
  /** Ends a session, expired or not; null where it had ended before. */
  byHandle(handleHash: Buffer, end: SessionEnd): Promise<EndedSession | null>;
  /** Ends one of a user's live sessions; null where there is no such one. */
  byId(userId: string, sessionId: string, end: SessionEnd): Promise<EndedSession | null>;
  /** Ends all of a user's sessions, and those of logins that are under way. */
  all(userId: string, by: AuditSource): Promise<void>;
  /** Ends a session whose token was used again, or that the stores disagree about; null where it had ended before. */
  reused(handleHash: Buffer, reason: "reused" | "diverged", origin: Origin): Promise<EndedSession | null>;
}

/** Builds them. Each throws AppError unavailable. */
export function createEndSessions({ db, store, users, audit }: EndSessionsDeps): EndSessions {
  return {
    byHandle: (handleHash, end) =>
      db.transaction(async (tx) => {
        const ended = await store.endByHandle(tx, handleHash);
        if (ended !== null) await audit.record(tx, sessionEnded(ended, end));
        return ended;
      }),
    byId: (userId, sessionId, end) =>
      db.transaction(async (tx) => {
        const ended = await store.endById(tx, userId, sessionId);
        if (ended !== null) await audit.record(tx, sessionEnded(ended, end));
        return ended;
      }),
    // Two statements: the second must see a session whose login held the user's row when the first came.
    all: (userId, by) =>
      db.transaction(async (tx) => {
        await Promise.all([
          users.countUp(tx, userId),
          store.endAllOf(tx, [userId]),
          audit.record(tx, { type: "sessions.ended", ...by, userId, reason: "revoked" }),
        ]);
      }),
    reused: (handleHash, reason, origin) =>
      db.transaction(async (tx) => {
        const ended = await store.endByHandle(tx, handleHash);
        if (ended === null) return null;
        const { id: sessionId, userId, clientId } = ended;
        const about = { userId, sessionId, clientId, reason };
        await audit.record(tx, { type: "refresh.reused", ...byAnyone(origin), ...about });
        return ended;
      }),
  };
}
