import { join } from "node:path";
import type { Home } from "../../src/postgres/embedded/home.ts";
import { requireSuccess } from "../../src/postgres/embedded/init-cluster.ts";
import { findPrograms, type Programs } from "../../src/postgres/embedded/programs.ts";
import { runProgram } from "../../src/postgres/embedded/run-program.ts";
import { exists, installDebianPackages } from "./debian-package.ts";

/** Where Debian 12 keeps its PostgreSQL: the oldest one that we support. */
const debianFolder = "/usr/lib/postgresql/15/bin";

/**
 * The PostgreSQL of a test: the embedded one, unless TEST_POSTGRES_BIN names the folder of another.
 *
 * @param debian takes Debian's in any case
 */
export async function findTestPrograms(home: Home, debian: boolean): Promise<Programs> {
  const folder = debian ? await findDebianPostgres() : (process.env["TEST_POSTGRES_BIN"] ?? "");
  if (folder === "") return findPrograms(home, process.env["PATH"]);
  const [postgres, initdb] = [join(folder, "postgres"), join(folder, "initdb")];
  const told = await runProgram(postgres, ["--version"], home.identity);
  requireSuccess("postgres --version", told);
  const version = /\) (\d+)[\w.]*/.exec(told.stdout);
  return { postgres, initdb, version: version?.[0].slice(2) ?? "", major: Number(version?.[1]) };
}

async function findDebianPostgres(): Promise<string> {
  if (!(await exists(debianFolder))) {
    await installDebianPackages(["postgresql-15"], "This test needs Debian's postgresql-15.");
  }
  return debianFolder;
}
