import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { readAccounts } from "../../postgres/embedded/accounts.ts";
import { findForeignHand, findHomeFolder } from "../../postgres/embedded/home.ts";
import { findIdentity, isRoot, ownerOf } from "../../postgres/embedded/identity.ts";
import { type Check, fail, type Finding, ok, warn } from "./finding.ts";

const name = "PostgreSQL's user";

/** The user under which root runs the embedded PostgreSQL, and whether other programs may run under it. */
export const checkServerUser: Check = {
  name,
  needs: ["DATABASE_URL", "DATA_DIR"],
  run: async ({ config }) => {
    const folder = await realpath(config.dataDir).catch(() => null);
    if (!isRoot() || config.database.url !== null) return [];
    const foreign = folder === null ? null : await findForeignHand(folder);
    if (foreign !== null) {
      const [found = "", mend = ""] = foreign.replace(/\.$/, "").split(/: (?=start|chmod)/);
      return [fail(name, found, mend)];
    }
    const dataFolder = join(folder === null ? config.dataDir : await findHomeFolder(folder), "data");
    return [await describeUser(dataFolder)];
  },
};

async function describeUser(dataFolder: string): Promise<Finding> {
  const [identity, owner, accounts] = await Promise.all([
    findIdentity(dataFolder),
    ownerOf(dataFolder),
    readAccounts(),
  ]);
  const nameOf = (uid: number) => accounts.find((account) => account.uid === uid)?.name ?? "no account";
  if (owner !== null && owner.uid !== identity.uid) {
    const found = `the database belongs to ${nameOf(owner.uid)} (${owner.uid}), under which other programs may run`;
    return warn(name, found, "start the service once: it copies the database to its own user");
  }
  const what = `${nameOf(identity.uid)} (${identity.uid})`;
  return ok(
    name,
    owner === null ? `it will be ${what}, and no other program's` : `it is ${what}, and no other program's`,
  );
}
