import { access, open } from "node:fs/promises";

/** Whether a path exists and can be reached. A path behind a folder that may not be entered counts as missing. */
export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** The code of a system error (`ENOENT`), or undefined for any other error. */
export function codeOf(error: unknown): string | undefined {
  return Error.isError(error) && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** Makes the names of a folder's entries durable. @throws the system error if the folder cannot be opened or synced */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
