// Holds the subjects of commits: imperative, at most 72 characters, no full stop at the end. Merges are left out.
// Usage: node scripts/check-commits.ts [revision range]; by default every commit since the rule was made.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { findSubjectProblem } from "./commits/find-subject-problem.ts";

const root = join(import.meta.dirname, "..");
/** The last commit from before the rule. */
const ruleBegan = "7b90c0b7cd87030eaa4963e7125ac0c8f071d655";

function git(...args: string[]): string | null {
  const { status, stdout } = spawnSync("git", args, { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout : null;
}

/** A shallow clone, or a source archive, has less to check, or nothing. */
function readSubjects(range: string | undefined): string[] {
  const known = git("cat-file", "-e", `${ruleBegan}^{commit}`) !== null;
  const revisions = range ?? (known ? `${ruleBegan}..HEAD` : "HEAD^!");
  const subjects = git("log", "--no-merges", "--format=%h %s", revisions);
  if (subjects === null && range !== undefined) throw new Error(`git does not know the range ${range}`);
  return (subjects ?? "").split("\n").filter((line) => line !== "");
}

for (const line of readSubjects(process.argv[2])) {
  const [hash = "", subject = ""] = /^(\S+) (.*)$/.exec(line)?.slice(1) ?? [];
  const problem = findSubjectProblem(subject);
  if (problem === null) continue;
  console.error(`${hash} ${JSON.stringify(subject)}: ${problem}`);
  process.exitCode = 1;
}
