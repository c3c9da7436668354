import { inSpan } from "../lib/span.ts";
import { gatherTurn } from "../lib/turn.ts";
import { currentWork, runShared, type WorkKind } from "../lib/work.ts";
import type { LookUps, LookUpStatement, Queryable } from "./database.ts";
import { unavailable } from "./failures.ts";
import { tooLate } from "./lease.ts";
import { writeApart } from "./write-apart.ts";

interface KeyedRow {
  readonly key: string;
}

/** A caller that waits for a row. */
interface Asked {
  readonly statement: LookUpStatement;
  readonly kind: WorkKind;
  readonly key: string | Buffer;
  readonly resolve: (row: KeyedRow | null) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Shares a statement among those who look something up in one turn of the event loop, kind of work by kind of work.
 * A caller who has waited before stops waiting before the others.
 *
 * @param timeoutMs how long a caller waits for the database in all
 */
export function createLookUp(query: Queryable["query"], timeoutMs: number): LookUps["lookUp"] {
  const gather = gatherTurn<Asked>((all) => {
    const groups = Map.groupBy(all, ({ statement, kind }) => `${kind} ${statement.name}`);
    for (const group of groups.values()) void answerAll(query, group);
  });

  return async <Row extends object>(statement: LookUpStatement, key: string | Buffer) => {
    const { kind, wait } = currentWork();
    const leftMs = timeoutMs - (wait?.total() ?? 0);
    if (leftMs <= 0) throw unavailable(tooLate());
    wait?.begin();
    try {
      const row = await inSpan("postgresql", statement.name, () => {
        const answer = new Promise<KeyedRow | null>((resolve, reject) => {
          gather({ statement, kind, key, resolve, reject });
        });
        return leftMs < timeoutMs ? within(leftMs, answer) : answer;
      });
      return row as Row | null;
    } finally {
      wait?.end();
    }
  };
}

async function answerAll(query: Queryable["query"], all: readonly Asked[]): Promise<void> {
  const answer = async (some: readonly Asked[]): Promise<void> => {
    const [first] = some;
    if (first === undefined) return;
    const { statement, kind } = first;
    const rows = await runShared(kind, () => query<KeyedRow>(statement, [some.map(({ key }) => key)]));
    const byKey = new Map(rows.map((row) => [row.key, row]));
    for (const { key, resolve } of some) resolve(byKey.get(spell(key)) ?? null);
  };
  try {
    // A key that PostgreSQL refuses is its caller's affair alone.
    await writeApart(all, answer, ({ reject }, error) => reject(error));
  } catch (error) {
    for (const { reject } of all) reject(error);
  }
}

function spell(key: string | Buffer): string {
  return typeof key === "string" ? key : key.toString("hex");
}

/** Fails when a caller's time is over. Timers run before sockets are read, immediates after: what has arrived counts. */
function within<T>(leftMs: number, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const expire = (): void => reject(unavailable(tooLate()));
    const timer = setTimeout(() => setImmediate(expire), leftMs);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
