import { lstat, rm, rmdir } from "node:fs/promises";
import { isRoot, switchedTo } from "./identity.ts";
import { runProgram } from "./run-program.ts";

/**
 * Removes a folder with all that is in it; does nothing where there is none.
 *
 * Root does not go down into what belongs to another user, who could put a link in the place of a folder
 * meanwhile: a process of that user empties it, and can harm nobody but itself. The folder around it is root's.
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
  // In a folder of root's the folder itself is left; rmdir takes an empty one only.
  await rmdir(folder).catch((error: unknown) => {
    if (!(Error.isError(error) && "code" in error && error.code === "ENOENT")) {
      throw error;
    }
  });
}
