import { notFound } from "../../errors/invalid.ts";
import { foldName } from "../../lib/fold.ts";
import type { Session } from "../session/session.ts";
import type { ManagedUser } from "./managed-user.ts";
import type { ManagedUserStore } from "./managed-user-store.ts";
import type { UserPosition, UserSearch } from "./user-search.ts";
import type { FoundUser, UserSearchStore } from "./user-search-store.ts";
import { userIds } from "./user.ts";

/** What administrators read of users. Each throws AppError unavailable, and not_found where there is no such user. */
export interface ReadManagedUsers {
  get(id: string): Promise<ManagedUser>;
  /** In the order of the ids. @throws AppError not_found where there is one of them not */
  getMany(ids: readonly string[]): Promise<ManagedUser[]>;
  /** @param name a username, or an address */
  find(name: string, kind: "username" | "email"): Promise<ManagedUser>;
  search(asked: UserSearch, after: UserPosition | null, limit: number): Promise<FoundUser[]>;
  /** The user's live sessions, the newest first. */
  listSessions(id: string): Promise<readonly Session[]>;
}

/** What the reading is made of. */
export interface ReadManagedUsersDeps {
  readonly store: Pick<ManagedUserStore, "findByIds" | "findByUsername" | "findByEmail">;
  readonly searches: UserSearchStore;
  readonly sessions: { listLive(userId: string): Promise<Session[]> };
}

/** Builds it. */
export function createReadManagedUsers({
  store,
  searches,
  sessions,
}: ReadManagedUsersDeps): ReadManagedUsers {
  const get = async (id: string): Promise<ManagedUser> => {
    const [found] = userIds.is(id) ? await store.findByIds([id]) : [];
    if (found === undefined) throw notFound("user");
    return found;
  };

  return {
    get,
    async getMany(ids) {
      const known = ids.every((id) => userIds.is(id)) ? await store.findByIds(ids) : [];
      const byId = new Map(known.map((found) => [found.user.id as string, found]));
      return ids.map((id) => {
        const found = byId.get(id);
        if (found === undefined) throw notFound("user");
        return found;
      });
    },
    async find(name, kind) {
      const folded = foldName(name);
      const found = kind === "email" ? await store.findByEmail(folded) : await store.findByUsername(folded);
      if (found === null) throw notFound("user");
      return found;
    },
    search: (asked, after, limit) => searches.search(asked, after, limit),
    async listSessions(id) {
      await get(id);
      return sessions.listLive(id);
    },
  };
}
