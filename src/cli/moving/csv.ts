import type { ImportLine } from "../../domain/user/moving/import-users.ts";
import { readCsvRows } from "./csv-rows.ts";
import { readMembers } from "./ndjson.ts";
import { readLine } from "./row-error.ts";

/** Reads a table whose columns are named as the members of our own form are; roles have spaces between them. */
export async function* readCsv(text: AsyncIterable<string>): AsyncGenerator<ImportLine> {
  for await (const { line, cells } of readCsvRows(text)) {
    const { roles = "", ...object } = Object.fromEntries(cells);
    yield readLine(line, () =>
      readMembers({ ...object, roles: roles.split(" ").filter((role) => role !== "") }),
    );
  }
}
