import type { ImportLine } from "../../domain/user/moving/import-users.ts";
import { readCsvRows } from "./csv-rows.ts";
import { readMembers } from "./ndjson.ts";
import { readLine } from "./row-error.ts";

/**
 * Reads a table whose columns are named as the members of our own form are; roles have spaces between them, and what is no
 * text is JSON.
 */
export async function* readCsv(text: AsyncIterable<string>): AsyncGenerator<ImportLine> {
  for await (const { line, cells } of readCsvRows(text)) {
    const { roles = "", claims, must_change_password, ...object } = Object.fromEntries(cells);
    yield readLine(line, () =>
      readMembers({
        ...object,
        roles: roles.split(" ").filter((role) => role !== ""),
        claims: parseCell(claims),
        must_change_password: parseCell(must_change_password),
      }),
    );
  }
}

/** The value of a cell; null for an empty one, and its text where it is no JSON. */
function parseCell(cell = ""): unknown {
  try {
    return cell === "" ? null : JSON.parse(cell);
  } catch {
    return cell;
  }
}
