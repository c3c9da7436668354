import type { Core } from "../app/core.ts";

/**
 * Runs a command on the nouns of the configured database, which must be up to date. What that takes is loaded here
 * and not before, so that help and wrong usage are answered at once.
 */
export async function withCore<T>(use: (core: Core) => Promise<T>): Promise<T> {
  const [{ withStores }, { buildCore }, { keepCommons }, { openSecretKeys }, { createLazyHashEngine }] =
    await Promise.all([
      import("./with-stores.ts"),
      import("../app/core.ts"),
      import("../app/commons.ts"),
      import("../app/secret-keys.ts"),
      import("../hashing/hash-engine.ts"),
    ]);
  return withStores({ waitMs: 0, migrate: false }, async ({ db }, config) => {
    const secrets = await openSecretKeys(config);
    const commons = keepCommons(config, { db, engine: createLazyHashEngine(config.argon2) });
    const core = buildCore(config, { db, secrets, commons });
    try {
      return await use(core);
    } finally {
      await core.audit.flushCounts();
    }
  });
}
