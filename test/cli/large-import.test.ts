import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { importedRows, importLine, secondsOfEnds } from "../../bench/import/users.ts";
import { eventually } from "../_harness/eventually.ts";
import { longTimeoutMs, printFigures, sizeOf } from "../_harness/figures.ts";
import type { TestDatabase } from "../_harness/postgres.ts";
import { mainFile, runCommand, testSecretKey } from "../_harness/service.ts";
import { createSharedDatabase } from "../_harness/shared-stores.ts";
import { openSql } from "../_harness/sql.ts";

// its own SQL: it counts what is stored, beside the service, and empties the tables in between.
const userCount = sizeOf(6_000, 100_000);
const tenth = userCount / 10;
// So short a run is decided by its start.
const isDecisive = userCount === 100_000;
const memoryMib = 300;

let database: TestDatabase;
let sql: Client;
let folder: string;
let path: string;
let env: Record<string, string>;
beforeAll(async () => {
  database = await createSharedDatabase();
  env = {
    PATH: process.env["PATH"] ?? "",
    DATABASE_URL: database.url,
    SECRET_KEY: testSecretKey,
    ISSUER: "http://localhost:8080",
  };
  sql = await openSql(database.url);
  const { code, stderr } = await runCommand(["migrate"], env);
  if (code !== 0) throw new Error(stderr);
  folder = await mkdtemp(join(tmpdir(), "countersign-large-import-"));
  path = join(folder, "users");
  await writeFile(path, Array.from({ length: userCount }, (_, index) => importLine(index)).join(""));
}, longTimeoutMs);
afterAll(async () => {
  await sql.end();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

function start(): ChildProcess {
  return spawn(process.execPath, [mainFile, "user", "import", path], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
}

async function count(what: string): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(`select count(*)::int as count from ${what}`);
  return rows[0]?.count ?? 0;
}

/** The most memory that a process has had so far, in MiB. */
async function readPeakMib(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
}

/** How long the first and the last tenth of the users took, in seconds: by the times of their transactions. */
async function readTenths(): Promise<readonly [number, number]> {
  const { rows } = await sql.query<{ seconds: number }>(secondsOfEnds, [tenth, userCount - tenth]);
  return [rows[0]?.seconds ?? 0, rows[1]?.seconds ?? 0];
}

describe("an import of many users", () => {
  test(
    "that is killed and run again loses nobody and doubles nobody",
    async () => {
      const killed = start();
      await eventually(async () => (await count("users")) > tenth, longTimeoutMs);
      killed.kill("SIGKILL");
      await once(killed, "exit");
      // What PostgreSQL was still doing for it ends first.
      await eventually(async () => (await count("users")) === (await count(importedRows)));
      const before = await count("users");
      expect(before).toBeLessThan(userCount);
      expect(await count(importedRows)).toBe(before);
      const { code, stdout } = await runCommand(["user", "import", path], env);
      expect(stdout).toBe(`${userCount - before} created, ${before} there already, 0 refused\n`);
      expect(code).toBe(0);
      expect(await count("users")).toBe(userCount);
      expect(await count(importedRows)).toBe(userCount);
      expect(await count("(select distinct user_id from audit_events) as found")).toBe(userCount);
    },
    longTimeoutMs,
  );

  test(
    "keeps its rate to the end, in bounded memory",
    async () => {
      await sql.query("delete from users");
      await sql.query("alter table audit_events disable trigger all; delete from audit_events");
      const child = start();
      let peakMib = 0;
      const watch = setInterval(
        () => void readPeakMib(child.pid).then((mib) => (peakMib = Math.max(peakMib, mib))),
        50,
      );
      const startedAt = performance.now();
      await once(child, "exit");
      clearInterval(watch);
      const seconds = (performance.now() - startedAt) / 1000;
      const [first, last] = await readTenths();
      const ratio = last / first;
      printFigures("import", {
        users: userCount,
        "a second": Math.round(userCount / seconds),
        "the last tenth took, of the first": ratio.toFixed(2),
        "MiB at most": Math.round(peakMib),
      });
      expect(await count("users")).toBe(userCount);
      expect(peakMib).toBeLessThan(memoryMib);
      expect(isDecisive ? ratio : 1).toBeLessThan(1.1);
    },
    longTimeoutMs,
  );
});
