// Tests wait for what they mean, and know the schema in one place.
// Usage: node scripts/check-test-habits.ts [root]; the root is the current folder by default.
// A test that has to let time pass says why, in one of the three lines above: `// sleep: why`. All else waits by
// `eventually`. Statements on the product's tables stand in test/_harness/rows. A file that is about the tables
// themselves says so once: `// its own SQL: why`.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = process.argv[2] ?? ".";
const rows = "test/_harness/rows/";
const timers = /^import \{ (?<names>[^}]*) \} from "node:timers\/promises";$/m;
const sleepReason = /\/\/ sleep: \S.{9,}/;
const sqlReason = /^\/\/ its own SQL: \S.{9,}/m;

/** The tables of the product. */
function readTables(): string[] {
  return globSync("src/postgres/migrations/*.sql", { cwd: root }).flatMap((path) =>
    [...readFileSync(join(root, path), "utf8").matchAll(/^create table (\w+)/gim)].map(
      ([, name = ""]) => name,
    ),
  );
}

/** The calls in a file that do nothing but let time pass. */
function sleepsOf(text: string): RegExp {
  const imported = timers.exec(text)?.groups?.["names"] ?? "";
  const names = imported
    .split(",")
    .flatMap((name) => /^\s*setTimeout(?: as (\w+))?\s*$/.exec(name)?.[1] ?? []);
  const calls = names.map((name) => `\\b${name}\\(`);
  return new RegExp([...calls, "new Promise\\(.*\\bsetTimeout\\("].join("|"));
}

const tables = readTables();
const statement = new RegExp(
  `\\b(?:from|into|update|table|join|truncate)\\s+(?:only\\s+)?(?:${tables.join("|")})\\b`,
  "i",
);
const problems: string[] = [];
for (const path of globSync("test/**/*.ts", { cwd: root }).toSorted()) {
  if (path.includes("/gen/")) continue;
  const text = readFileSync(join(root, path), "utf8");
  const sleep = sleepsOf(text);
  const knowsSchema = tables.length === 0 || path.startsWith(rows) || sqlReason.test(text);
  const lines = text.split("\n");
  for (const [index, line] of lines.entries()) {
    const place = `${path}:${index + 1}`;
    if (
      sleep.test(line) &&
      !lines.slice(Math.max(0, index - 3), index).some((above) => sleepReason.test(above))
    ) {
      problems.push(`${place} sleeps: wait for what is meant (eventually), or say why above (// sleep: why)`);
    }
    if (!knowsSchema && statement.test(line)) {
      problems.push(
        `${place} names a table: use or add a function of ${rows}, or say why (// its own SQL: why)`,
      );
    }
  }
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
