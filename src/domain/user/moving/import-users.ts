import type { Database, Queryable } from "../../../postgres/pool.ts";
import type { Audit } from "../../audit/audit.ts";
import type { AuditSource } from "../../audit/audit-event.ts";
import { judgeTaken } from "./judge-taken.ts";
import type { MovedUser, MovingStore } from "./moving-store.ts";
import type { PrepareUser } from "./prepare-user.ts";
import type { RecordProblem, UserRecord } from "./user-record.ts";

/** A record, or why there is none, and the line of its file that it begins on. */
export interface ImportLine {
  readonly line: number;
  readonly record: UserRecord | RecordProblem;
  /** What it takes in memory, in UTF-16 units of JSON; left out where its reader bounds that. */
  readonly chars?: number;
}

/** What has become of the records so far. */
export interface ImportCounts {
  readonly created: number;
  /** Those whose user was there already, such as by an earlier run. They are left as they are. */
  readonly existing: number;
  readonly refused: number;
}

/** How users are brought in. */
export interface ImportOptions {
  readonly by: AuditSource;
  /** Whether all is checked and nothing is kept. Records that clash with one another further apart are not found. */
  readonly isDryRun: boolean;
  /** Asked in the transaction which of the users may not be brought in. By default all may. */
  readonly judge?: JudgeUsers;
  /** Told of each record that is refused, in the order of the lines. */
  onRefused(line: number, problem: RecordProblem): void;
  /** Told after each batch. */
  onProgress(counts: ImportCounts): void;
}

/** Says which users may not be brought in, by the lines of their records. */
export type JudgeUsers = (
  tx: Queryable,
  users: ReadonlyMap<number, MovedUser>,
) => Promise<ReadonlyMap<number, RecordProblem>>;

/**
 * Brings users in, in batches of one transaction each. What is there stays as it is, so that a run that was cut off may be
 * repeated: it loses nobody and doubles nobody. At most two batches of records are held in memory.
 *
 * @throws AppError unavailable; the batches before it are kept
 */
export type ImportUsers = (lines: AsyncIterable<ImportLine>, options: ImportOptions) => Promise<ImportCounts>;

/** A batch's outcome by line: a problem, or what has become of the user. */
type Outcomes = Map<number, RecordProblem | "created" | "existing">;

const batchSize = 500;
const batchCharsMax = 1_048_576;

/** Undoes the transaction of a dry run. */
class DryRunEnd extends Error {}

/** @param deps the store, the audit trail, and the rules for records */
export function createImportUsers(deps: {
  readonly db: Pick<Database, "transaction">;
  readonly store: Pick<MovingStore, "insertFree" | "findOwners">;
  readonly audit: Pick<Audit, "recordAll">;
  readonly prepare: PrepareUser;
}): ImportUsers {
  const { db, store, audit, prepare } = deps;

  const write = async (
    tx: Queryable,
    wanted: ReadonlyMap<number, MovedUser>,
    { by, isDryRun, judge }: ImportOptions,
  ): Promise<Outcomes> => {
    const outcomes: Outcomes = new Map(await judge?.(tx, wanted));
    const users = new Map([...wanted].filter(([line]) => !outcomes.has(line)));
    if (users.size === 0) return outcomes;
    const created = await store.insertFree(tx, [...users.values()]);
    const written = new Set<string>();
    const others = new Map<number, MovedUser>();
    for (const [line, user] of users) {
      // Of two with one id the first is the one that was written.
      if (!created.has(user.id) || written.has(user.id)) others.set(line, user);
      else outcomes.set(line, "created");
      written.add(user.id);
    }
    const events = [...created].map(
      (userId) => ({ type: "user.created", ...by, userId, reason: "imported" }) as const,
    );
    const [owners] = await Promise.all([
      others.size === 0 ? [] : store.findOwners(tx, [...others.values()]),
      isDryRun || events.length === 0 ? undefined : audit.recordAll(tx, events),
    ]);
    for (const [line, judged] of judgeTaken(others, owners)) outcomes.set(line, judged);
    return outcomes;
  };

  const keep = async (users: ReadonlyMap<number, MovedUser>, options: ImportOptions): Promise<Outcomes> => {
    if (users.size === 0) return new Map();
    let outcomes: Outcomes = new Map();
    try {
      await db.transaction(async (tx) => {
        outcomes = await write(tx, users, options);
        if (options.isDryRun) throw new DryRunEnd();
      });
    } catch (error) {
      if (!(error instanceof DryRunEnd)) throw error;
    }
    return outcomes;
  };

  return async (lines, options) => {
    let counts: ImportCounts = { created: 0, existing: 0, refused: 0 };
    for await (const batch of inBatches(lines)) {
      const prepared = batch.map(({ line, record }) => ({ line, read: prepareRead(prepare, record) }));
      const users = new Map<number, MovedUser>();
      for (const { line, read } of prepared) if ("usernameFolded" in read) users.set(line, read);
      const outcomes = await keep(users, options);
      for (const { line, read } of prepared) {
        const outcome = "usernameFolded" in read ? outcomes.get(line) : read;
        if (outcome === undefined) throw new Error("a record of the batch has no outcome");
        const what = typeof outcome === "string" ? outcome : "refused";
        counts = { ...counts, [what]: counts[what] + 1 };
        if (typeof outcome !== "string") options.onRefused(line, outcome);
      }
      options.onProgress(counts);
    }
    return counts;
  };
}

function prepareRead(prepare: PrepareUser, record: ImportLine["record"]): MovedUser | RecordProblem {
  return "detail" in record ? record : prepare(record);
}

async function* inBatches(lines: AsyncIterable<ImportLine>): AsyncGenerator<ImportLine[]> {
  let batch: ImportLine[] = [];
  let chars = 0;
  for await (const line of lines) {
    batch.push(line);
    chars += line.chars ?? 0;
    if (batch.length < batchSize && chars < batchCharsMax) continue;
    yield batch;
    batch = [];
    chars = 0;
  }
  if (batch.length > 0) yield batch;
}
