import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

// its own SQL: it shows what the check refuses.

const root = join(import.meta.dirname, "..", "..");
const folder = mkdtempSync(join(tmpdir(), "test-habits-"));
beforeAll(() => {
  write(
    "src/postgres/migrations/0001_first.sql",
    "create table users (id text);\ncreate table sessions ();\n",
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(path: string, source: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, source);
  return file;
}

function check(path: string, source: string) {
  const file = write(path, source);
  const script = join(root, "scripts/check-test-habits.ts");
  const { status, stderr } = spawnSync(process.execPath, [script, folder], { encoding: "utf8" });
  rmSync(file);
  return { status, stderr };
}

const imported = 'import { setTimeout as sleep } from "node:timers/promises";\n';
const ok = { status: 0, stderr: "" };

describe("a sleep", () => {
  test.each([
    [`${imported}await sleep(100);`, 2],
    [`${imported}// sleep:\nawait sleep(100);`, 3],
    [`${imported}// A while later.\nawait sleep(100);`, 3],
    [`${imported}// sleep: the pool reads this.\n\n\n\nawait sleep(100);`, 6],
    ["await new Promise((resolve) => setTimeout(resolve, 250));", 1],
  ])("without a reason is refused: %j", (source, line) => {
    expect(check("test/a/b.test.ts", source)).toEqual({
      status: 1,
      stderr: expect.stringMatching(new RegExp(`^test/a/b\\.test\\.ts:${line} sleeps: `)),
    });
  });

  test.each([
    `${imported}// sleep: the pool reads the end of its connection.\nawait sleep(100);`,
    "await eventually(() => isDone);",
    "const timer = setTimeout(() => socket.end(), 100);",
    "sleep(100);",
  ])("with a reason, or what is none, is not: %j", (source) => {
    expect(check("test/a/b.test.ts", source)).toEqual(ok);
  });
});

describe("a statement on a table of the product", () => {
  test.each([
    'await sql.query("select id from users");',
    'await sql.query("UPDATE sessions SET id = $1");',
    "await sql.query(`insert\n into users values ($1)`);",
    'await sql.query("begin; lock table sessions in share mode");',
  ])("is refused outside the rows of the harness: %j", (source) => {
    expect(check("test/a/b.test.ts", source)).toEqual({
      status: 1,
      stderr: expect.stringMatching(/^test\/a\/b\.test\.ts:[12] names a table: /),
    });
  });

  test.each([
    ["test/_harness/rows/users.ts", 'await sql.query("select id from users");'],
    ["test/a/b.test.ts", '// its own SQL: it breaks the table.\n\nawait sql.query("select id from users");'],
    ["test/a/b.test.ts", 'await sql.query("select x from a");'],
    ["src/a/b.ts", 'await sql.query("select id from users");'],
  ])("but not in %s: %j", (path, source) => {
    expect(check(path, source)).toEqual(ok);
  });
});
