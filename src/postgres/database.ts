/** A statement and the name under which a connection keeps it prepared. One name, one text. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** What a store needs: one statement at a time. */
export interface Queryable {
  /**
   * Runs a prepared statement.
   *
   * @returns its rows: int8 and numeric as strings, timestamptz as Date, json parsed
   * @throws AppError `unavailable` when the database cannot be reached, is going down, is full or too
   *   slow; the error of pg otherwise (see isUniqueViolation)
   */
  query<Row extends object>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
}

/** A statement whose only parameter is an array of keys. Each of its rows names its own in the column `key`. */
export type LookUpStatement = Statement;

/** Rows that are looked up one at a time. */
export interface LookUps {
  /**
   * Looks a row up. All who look something up by one statement in one turn of the event loop share it, and each still
   * has an error and a deadline of its own.
   *
   * @param key a text as the column `key` spells it; bytes are spelled in hexadecimal there
   * @returns the row, which others may have got as well; null for none
   * @throws AppError `unavailable`; the error of pg otherwise
   */
  lookUp<Row extends object>(statement: LookUpStatement, key: string | Buffer): Promise<Row | null>;
}

/**
 * An open transaction. Its statements run in the order of the calls. Statements that do not need one another's rows
 * can be started together, and then share a round trip.
 */
export interface Transaction extends Queryable {
  /** Runs a script of any number of statements, unprepared and without values: for migrations. */
  execute(script: string): Promise<void>;
}

/** The options of one transaction. */
export interface TransactionOptions {
  /** For each of its statements; default: that of the pool. */
  readonly statementTimeoutMs?: number;
  /** For each wait for a lock; default: that of the pool. */
  readonly lockTimeoutMs?: number;
}

/** The database, through a pool of connections. */
export interface Database extends Queryable, LookUps {
  /**
   * Runs `run` in a transaction (read committed), which is committed when it returns and undone when it throws.
   * When COMMIT itself fails, whether it took effect is not known.
   */
  transaction<T>(run: (transaction: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /**
   * Checks that PostgreSQL answers, for a health check in the background.
   *
   * @throws AppError `unavailable`; the signal's reason when it is aborted first
   */
  ping(signal?: AbortSignal): Promise<void>;
  /** Waits for running statements, then closes every connection. May be called twice. */
  end(): Promise<void>;
}
