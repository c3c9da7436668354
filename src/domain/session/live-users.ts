import type { User } from "../user/user.ts";

/** Who holds a session, as it was at most a second ago. */
export interface LiveUsers {
  /** The user of a session, where both live. Throws what the store throws. */
  find(sessionId: string, userId: string): Promise<User | null>;
  /** Forgets what is known of a user's sessions: one of them ends, or the user changes. */
  forget(userId: string): void;
}

interface Known {
  readonly askedAtMs: number;
  readonly user: Promise<User | null>;
}

const ageMaxMs = 1_000;
const knownMax = 10_000;

/**
 * Remembers the store's answers for a second, counted from before it was asked, and asks once for all who
 * ask at the same time.
 *
 * @param find asks the store
 */
export function createLiveUsers(
  find: (sessionId: string, userId: string) => Promise<User | null>,
): LiveUsers {
  // The oldest first: an entry is never changed, only added anew.
  const known = new Map<string, Known>();

  const dropOld = (now: number): void => {
    for (const [key, { askedAtMs }] of known) {
      if (now - askedAtMs < ageMaxMs && known.size < knownMax) return;
      known.delete(key);
    }
  };

  return {
    find(sessionId, userId) {
      const now = performance.now();
      dropOld(now);
      const key = keyOf(userId, sessionId);
      const found = known.get(key);
      if (found !== undefined) return found.user;
      const user = find(sessionId, userId);
      const entry = { askedAtMs: now, user };
      known.set(key, entry);
      // Nobody else is to get a failure that has passed.
      user.catch(() => {
        if (known.get(key) === entry) known.delete(key);
      });
      return user;
    },
    forget(userId) {
      const prefix = keyOf(userId, "");
      for (const key of known.keys()) if (key.startsWith(prefix)) known.delete(key);
    },
  };
}

function keyOf(userId: string, sessionId: string): string {
  return `${userId} ${sessionId}`;
}
