import { lstat, rm, rmdir } from "node:fs/promises";
import { isRoot, switchedTo } from "./identity.ts";
import { runProgram } from "./run-program.ts";

/**
 * Removes a folder with everything in it; does nothing if there is none.
 *
 * Root does not descend into another user's folders, since that user could replace one by a link meanwhile. A process of
 * that user empties them instead, and can harm only that user. The folder around them is root's.
 *
 * @param gid the group that may pass through the folders above
 */
export async function removeFolder(folder: string, gid: number): Promise<void> {
  const found = await lstat(folder).catch(() => null);
  if (found === null) {
    return;
  }
  if (!isRoot() || found.uid === 0) {
    return rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
  await runProgram("/bin/rm", ["-rf", "--", folder], switchedTo({ uid: found.uid, gid }));
  // The user cannot remove the folder itself from root's folder; rmdir removes it once it is empty.
  await rmdir(folder).catch((error: unknown) => {
    if (!(Error.isError(error) && "code" in error && error.code === "ENOENT")) {
      throw error;
    }
  });
}
