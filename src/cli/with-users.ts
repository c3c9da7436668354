import type { Users } from "../domain/user/users.ts";

/**
 * Runs a command on the users of the configured database. What that takes is loaded here and not
 * before, so that help and wrong usage are answered at once.
 */
export async function withUsers<T>(use: (users: Users) => Promise<T>): Promise<T> {
  const [{ withStores }, { createUserParts }] = await Promise.all([
    import("./with-stores.ts"),
    import("../start/user-parts.ts"),
  ]);
  return withStores({ waitMs: 0 }, ({ db }, config) => use(createUserParts(config, db).users));
}
