// Every comment that silences a tool says why: `// oxlint-disable-next-line rule -- reason`.
// Usage: node scripts/check-suppressions.ts [root]; the root is the current folder by default.
// Biome and the compiler's directives are held to a reason by Biome itself and by ban-ts-comment.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = process.argv[2] ?? ".";
const directive = /(?:oxlint|eslint)-disable(?:-next-line|-line)?\b(?<rest>[^\n]*)/;
const withReason = /^\s+[\w@][^\n]*? -- \S.{9,}/;

let found = 0;
for (const path of globSync("{src,test,bench,scripts}/**/*.{ts,js}", { cwd: root }).toSorted()) {
  if (path.includes("/gen/") || path === "scripts/check-suppressions.ts") continue;
  const lines = readFileSync(join(root, path), "utf8").split("\n");
  for (const [index, line] of lines.entries()) {
    const rest = directive.exec(line)?.groups?.["rest"];
    if (rest === undefined || withReason.test(rest)) continue;
    console.error(
      `${path}:${index + 1} silences the linter without naming a rule and a reason (rule -- reason)`,
    );
    found += 1;
  }
}
process.exitCode = found > 0 ? 1 : 0;
