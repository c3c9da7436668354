import type { Queryable } from "../../postgres/pool.ts";

const endSessions = {
  name: "session.end-all",
  text: "update sessions set ended_at = now() where user_id = $1 and ended_at is null",
};

/**
 * Ends a user's sessions, within a transaction whose statement before has locked the user's row and counted
 * up: this one then sees a session whose login held that row.
 */
export async function endSessionsOf(tx: Queryable, userId: string): Promise<void> {
  await tx.query(endSessions, [userId]);
}
