import { randomBytes } from "node:crypto";
import { lchown, mkdtemp, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { exists, syncFolder } from "../../lib/files.ts";
import { giveAccount } from "./accounts.ts";
import type { Home } from "./home.ts";
import { isRoot } from "./identity.ts";
import type { Programs } from "./programs.ts";
import { removeFolder } from "./remove-folder.ts";
import { type ProgramResult, runProgram } from "./run-program.ts";

/** The name of the service's role and database. */
export const serviceName = "countersign";

const passwordFileName = "password";

/**
 * Makes the cluster of a home on its first start, and gives the password of the service's role.
 *
 * The cluster is built beside its place and moved there when it is whole, so a kill in the middle
 * leaves nothing half-made. The service's role owns its database and is no superuser; the superuser
 * has no password, so nobody can sign in as it.
 * It uses a password and not `peer`, since as root the service connects with another uid than the server's.
 *
 * @throws Error with what initdb said, or when the cluster is there but its password is not
 */
export async function ensureCluster(home: Home, programs: Programs): Promise<string> {
  await removeUnfinished(home);
  const isThere = await exists(join(home.dataFolder, "PG_VERSION"));
  const password = (await readPassword(home.folder)) ?? (isThere ? null : await makePassword(home.folder));
  if (password === null) {
    throw new Error(
      `The file ${join(home.folder, passwordFileName)} is gone; the database cannot be opened.`,
    );
  }
  if (!isThere) {
    await buildCluster(home, programs, password);
  }
  return password;
}

async function buildCluster(home: Home, programs: Programs, password: string): Promise<void> {
  const work = await mkdtemp(join(home.folder, "initdb-"));
  try {
    if (isRoot()) {
      await giveAccount(home.identity);
      await lchown(work, home.identity.uid, home.identity.gid);
    }
    const data = join(work, "data");
    requireSuccess(
      "initdb",
      await runProgram(programs.initdb, initArgs(data, programs.major), home.identity),
    );
    // One statement a line; exit_on_error makes a failed one end the program with a failure.
    const setup = [
      `CREATE ROLE ${serviceName} LOGIN PASSWORD '${password}';`,
      `CREATE DATABASE ${serviceName} OWNER ${serviceName};`,
      "",
    ].join("\n");
    const args = [
      "--single",
      "-D",
      data,
      "-c",
      "exit_on_error=on",
      "-c",
      "log_min_messages=fatal",
      "postgres",
    ];
    requireSuccess("postgres --single", await runProgram(programs.postgres, args, home.identity, setup));
    await rename(data, home.dataFolder);
    await syncFolder(home.folder);
  } finally {
    await removeFolder(work, home.identity.gid);
  }
}

/**
 * The arguments of initdb for a cluster in UTF-8, with code point order and Unicode case, which no
 * upgrade of a C library can change under an index (PostgreSQL 17 and later have it built in).
 *
 * @param authHost how clients authenticate over TCP
 * @internal also for the clusters of tests
 */
export function initArgs(
  dataFolder: string,
  major: number,
  authHost: "reject" | "scram-sha-256" = "reject",
): string[] {
  const cluster = ["-D", dataFolder, "-U", "postgres", "--encoding=UTF8", "--locale=C", "--data-checksums"];
  const locale = major >= 17 ? ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] : [];
  const auth = ["--auth-local=scram-sha-256", `--auth-host=${authHost}`];
  return [...cluster, ...locale, ...auth, "--no-instructions"];
}

/**
 * @throws Error with the first lines that the program wrote, if it failed
 * @internal also for the clusters of tests
 */
export function requireSuccess(name: string, result: ProgramResult): void {
  if (result.code !== 0) {
    const said = result.stderr.trim().split("\n").slice(0, 5).join(" ");
    throw new Error(`The embedded PostgreSQL cannot be set up: ${name} failed (${result.code}): ${said}`);
  }
}

async function makePassword(folder: string): Promise<string> {
  const password = randomBytes(32).toString("base64url");
  // Through a temporary name, so that a kill in the middle never leaves an empty password.
  const temporary = join(folder, `${passwordFileName}.new`);
  await rm(temporary, { force: true });
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(`${password}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, join(folder, passwordFileName));
  return password;
}

/** The password of the service's role; null before the first start. */
export async function readPassword(folder: string): Promise<string | null> {
  const file = join(folder, passwordFileName);
  if (!(await exists(file))) {
    return null;
  }
  return (await readFile(file, "utf8")).trim();
}

async function removeUnfinished({ folder, identity }: Home): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith("initdb-") || name.startsWith("programs-tmp-")) {
      await removeFolder(join(folder, name), identity.gid);
    }
  }
}
