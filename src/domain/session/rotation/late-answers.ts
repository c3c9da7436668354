import type { Database } from "../../../postgres/pool.ts";
import type { Audit } from "../../audit/audit.ts";
import type { AuditEvent } from "../../audit/audit-event.ts";
import type { FindPresented, PresentedSession } from "./advance-session.ts";
import type { SessionStore } from "../session-store.ts";

/**
 * Late answers: a token is shown after its grace, and the current one, which followed it, never was. Postgres keeps
 * from which generation on there are some, and is told before the answer: "once" is a promise that only a durable
 * write can keep.
 */
export interface LateAnswers {
  /**
   * Takes the late answer of the current generation. There is none again before two rotations later, so that of a thief
   * and a victim who take turns one is found out.
   *
   * @returns whether it is to be answered; false where the session has ended. Of those who ask at the same moment all
   *   are answered, and one is told of in the audit trail
   * @throws AppError unavailable
   */
  take(session: PresentedSession, generation: bigint, event: AuditEvent): Promise<boolean>;
  /**
   * The current token was shown and stays the current one, since there were too many rotations within the grace: its
   * parent gets no late answer any more.
   *
   * @throws AppError unavailable
   */
  noteShown(session: PresentedSession, generation: bigint): Promise<void>;
}

/** @param find finds a session as it is now */
export function createLateAnswers(deps: {
  readonly db: Pick<Database, "query" | "transaction">;
  readonly store: Pick<SessionStore, "limitLate">;
  readonly audit: Pick<Audit, "record">;
  readonly find: FindPresented;
}): LateAnswers {
  const { db, store, audit } = deps;
  return {
    async take({ handleHash, presented }, generation, event) {
      const limit = { handleHash, generation, lateFrom: generation + 2n };
      const isFirst = await db.transaction(async (tx) => {
        const isLimited = await store.limitLate(tx, limit);
        if (isLimited) await audit.record(tx, event);
        return isLimited;
      });
      return isFirst || (await deps.find(presented)) !== null;
    },
    async noteShown({ handleHash, lateFrom }, generation) {
      if (lateFrom > generation) return;
      const limit = { handleHash, generation, lateFrom: generation + 1n };
      await store.limitLate(db, limit);
    },
  };
}
