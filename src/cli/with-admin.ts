import type { Admin } from "../app/build-admin.ts";

/**
 * Runs a command on the configured database, which must be up to date. The code for it is loaded only here, so that
 * help and wrong usage are answered at once.
 */
export async function withAdmin<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
  const [{ withStores }, { buildAdmin }] = await Promise.all([
    import("./with-stores.ts"),
    import("../app/build-admin.ts"),
  ]);
  return withStores({ waitMs: 0, migrate: false }, async ({ db }, config) =>
    use(await buildAdmin(config, db)),
  );
}
