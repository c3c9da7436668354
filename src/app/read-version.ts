import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** The version of the program, from package.json. */
export async function readVersion(): Promise<string> {
  const text = await readFile(join(import.meta.dirname, "..", "..", "package.json"), "utf8");
  const manifest: unknown = JSON.parse(text);
  return manifest instanceof Object && "version" in manifest ? String(manifest.version) : "unknown";
}
