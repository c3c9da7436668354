import { chmod, cp, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../_harness/service.ts";

/** Copies what runs of this checkout to a new folder, in which nothing can be written any more. */
export async function copyCheckout(target: string): Promise<string> {
  await cp(join(root, "src"), join(target, "src"), { recursive: true });
  await cp(join(root, "package.json"), join(target, "package.json"));
  await symlink(join(root, "node_modules"), join(target, "node_modules"));
  const entries = await readdir(join(target, "src"), { recursive: true, withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory());
  const files = entries.filter((entry) => entry.isFile());
  await Promise.all(files.map((entry) => chmod(join(entry.parentPath, entry.name), 0o444)));
  for (const entry of folders) await chmod(join(entry.parentPath, entry.name), 0o555);
  await chmod(join(target, "src"), 0o555);
  await chmod(target, 0o555);
  return target;
}
