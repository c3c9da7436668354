import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** One step of the schema. */
export interface MigrationFile {
  readonly version: number;
  /** The file's name without its ending, "0001_users" for example. */
  readonly name: string;
  readonly script: string;
  /** SHA-256 of the script in hex; line endings count as one byte. */
  readonly checksum: string;
}

/**
 * Reads a folder of migrations, in their order. The names are `0001_name.sql`: four digits that count
 * from 1 without a gap, and lower-case words.
 *
 * @throws Error naming the file that breaks this
 */
export async function readMigrations(folder: string): Promise<MigrationFile[]> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith(".")).toSorted();
  return Promise.all(names.map((name, index) => readMigration(folder, name, index + 1)));
}

async function readMigration(folder: string, fileName: string, expected: number): Promise<MigrationFile> {
  const match = /^(\d{4})_[a-z0-9]+(?:[_-][a-z0-9]+)*\.sql$/.exec(fileName);
  if (match === null) {
    throw new Error(`The file ${join(folder, fileName)} is not named like 0001_name.sql.`);
  }
  const version = Number(match[1]);
  if (version !== expected) {
    throw new Error(`The migration ${fileName} should have the number ${String(expected).padStart(4, "0")}.`);
  }
  const script = (await readFile(join(folder, fileName), "utf8")).replaceAll("\r\n", "\n");
  const checksum = createHash("sha256").update(script).digest("hex");
  return { version, name: fileName.slice(0, -".sql".length), script, checksum };
}
