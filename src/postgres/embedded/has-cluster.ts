import { access, realpath } from "node:fs/promises";
import { join } from "node:path";
import { findHomeFolder } from "./home.ts";

/** Whether there is an embedded database under a DATA_DIR, running or not. */
export async function hasCluster(dataDir: string): Promise<boolean> {
  try {
    const home = await findHomeFolder(await realpath(dataDir));
    await access(join(home, "data", "PG_VERSION"));
    return true;
  } catch (error) {
    const code = Error.isError(error) && "code" in error ? error.code : null;
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw error;
  }
}
