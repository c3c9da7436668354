import type { Queryable } from "../../postgres/pool.ts";

const endSessions = {
  name: "session.end-all",
  text: "update sessions set ended_at = now() where user_id = any ($1) and ended_at is null returning 1",
};

/**
 * Ends users' sessions, within a transaction whose statement before has locked the users' rows and counted
 * up: this one then sees a session whose login held such a row.
 *
 * @returns how many
 */
export async function endSessionsOf(tx: Queryable, userIds: readonly string[]): Promise<number> {
  return (await tx.query(endSessions, [userIds])).length;
}
