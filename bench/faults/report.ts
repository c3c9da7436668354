import { readFile, writeFile } from "node:fs/promises";
import type { Cell, Row } from "./observe.ts";

const begin = "<!-- faults: npm run faults -->";
const end = "<!-- end of faults -->";

/** Puts the table in the place of the one that a page has. @throws where the page has no place for it */
export async function writeTable(page: string, rows: readonly Row[]): Promise<void> {
  const text = await readFile(page, "utf8");
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`${page} has no place for the table of faults`);
  await writeFile(page, `${text.slice(0, from + begin.length)}\n\n${presentTable(rows)}\n${text.slice(to)}`);
}

/** The rows as Markdown. */
export function presentTable(rows: readonly Row[]): string {
  const [first] = rows;
  if (first === undefined) return "";
  const names = first.cells.map(({ endpoint }) => endpoint);
  const head = ["fault", ...names, "SIGTERM", "sessions lost"];
  const lines = [head, head.map(() => "---"), ...rows.map(presentRow)];
  const violations = rows.flatMap(({ title, violations }) => violations.map((each) => `- ${title}: ${each}`));
  return [
    ...lines.map((cells) => `| ${cells.join(" | ")} |`),
    "",
    violations.length === 0 ? "Nothing that must not be was seen." : "What must not be, and was seen:",
    ...(violations.length === 0 ? [] : ["", ...violations]),
    "",
  ].join("\n");
}

function presentRow({ title, cells, endedMs, sessionsLost }: Row): string[] {
  return [title, ...cells.map(presentCell), `ends in ${seconds(endedMs)}`, String(sessionsLost)];
}

/** The statuses, the most frequent first; the slowest answer; when it was well again, where it was not all the while. */
function presentCell({ statuses, worstMs, wellMs }: Cell): string {
  const total = Object.values(statuses).reduce((sum, count) => sum + count, 0);
  const shares = Object.entries(statuses).toSorted(([, one], [, other]) => other - one);
  const told = shares
    .map(([status, count]) => {
      const word = status === "0" ? "none" : status;
      return shares.length === 1 ? word : `${word} ${Math.max(1, Math.round((count / total) * 100))} %`;
    })
    .join(", ");
  const well = wellMs === 0 ? "" : wellMs === null ? "; not well" : `; well +${seconds(wellMs)}`;
  return `${told}; ${worstMs < 1_000 ? `${worstMs} ms` : seconds(worstMs)}${well}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
