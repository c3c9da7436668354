import { createRecent } from "../../lib/recent.ts";
import type { UserProfile } from "../user/user.ts";

/** Who holds a session, as it was at most a second ago. */
export interface LiveUsers {
  /** The user of a session, where both live. Throws what the store throws. */
  find(sessionId: string, userId: string): Promise<UserProfile | null>;
  /** Forgets what is known of a user's sessions: one of them ends, or the user changes. */
  forget(userId: string): void;
}

/**
 * Remembers the store's answers for a second, and asks once for all who ask at the same time.
 *
 * @param find asks the store
 */
export function createLiveUsers(
  find: (sessionId: string, userId: string) => Promise<UserProfile | null>,
): LiveUsers {
  const recent = createRecent<UserProfile | null>();
  return {
    find(sessionId, userId) {
      const key = `${userId} ${sessionId}`;
      return recent.find(key) ?? recent.ask(userId, key, () => find(sessionId, userId));
    },
    forget: (userId) => recent.forget(userId),
  };
}
