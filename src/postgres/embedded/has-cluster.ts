import { access, realpath } from "node:fs/promises";
import { join } from "node:path";
import { codeOf } from "../../lib/files.ts";
import { findHomeFolder } from "./home.ts";

/** Whether there is an embedded database under a DATA_DIR, running or not. */
export async function hasCluster(dataDir: string): Promise<boolean> {
  try {
    const home = await findHomeFolder(await realpath(dataDir));
    await access(join(home, "data", "PG_VERSION"));
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw error;
  }
}
