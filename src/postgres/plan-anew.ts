import type { Database, Statement } from "./database.ts";

const planAnew = "set local plan_cache_mode = force_custom_plan; set local enable_seqscan = on";

/**
 * Runs a search whose parameters are null where they ask for nothing. It is planned for the parameters at hand, which
 * takes the index that serves them, or none: a plan for all would read every row of one.
 *
 * @throws AppError unavailable
 */
export function searchAnew<Row extends object>(
  db: Pick<Database, "transaction">,
  statement: Statement,
  values: readonly unknown[],
): Promise<Row[]> {
  return db.transaction(async (tx) => {
    const [, rows] = await Promise.all([tx.execute(planAnew), tx.query<Row>(statement, values)]);
    return rows;
  });
}
