import { isRefusedData } from "./failures.ts";

/**
 * Writes rows together. If PostgreSQL refuses them because of their data, they are halved until only the bad rows are
 * left. So a bad row does not stop the others; it costs two statements for each halving.
 *
 * @param write writes some of the rows, all or none
 * @param onRefused called for each row that PostgreSQL refuses, with the error
 * @returns what each successful write answered
 * @throws what `write` throws for any other reason; some rows may have been written by then
 */
export async function writeApart<Row, Result>(
  rows: readonly Row[],
  write: (rows: readonly Row[]) => Promise<Result>,
  onRefused: (row: Row, error: unknown) => void,
): Promise<Result[]> {
  try {
    return [await write(rows)];
  } catch (error) {
    const [first] = rows;
    if (first === undefined || !isRefusedData(error)) throw error;
    if (rows.length === 1) {
      onRefused(first, error);
      return [];
    }
  }
  const middle = Math.ceil(rows.length / 2);
  const written = await writeApart(rows.slice(0, middle), write, onRefused);
  return [...written, ...(await writeApart(rows.slice(middle), write, onRefused))];
}
