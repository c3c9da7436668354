import type { Config } from "../../config/config.ts";
import type { ConnectionTarget } from "../../postgres/connection-string.ts";
import { createPool, type Database } from "../../postgres/pool.ts";
import { databaseFailure } from "../../start/database-failure.ts";
import { findDatabase } from "./find-database.ts";
import { type Check, fail, type Finding, warn } from "./finding.ts";
import { inspectMigrations } from "./inspect-migrations.ts";
import { inspectServer } from "./inspect-server.ts";
import { inspectUsers } from "./inspect-users.ts";
import { inspectSigningKeys } from "./inspect-signing-keys.ts";

const name = "database";
/** Several of these fit into the time of a check. */
const stepTimeoutMs = 1_000;
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The database, and what is kept in it. */
export const checkDatabase: Check = {
  name,
  needs: ["DATABASE_URL", "DATA_DIR"],
  run: async ({ config, broken }) => {
    const { target, findings } = await findDatabase(config);
    if (target === null) return findings;
    const db = open(target);
    try {
      return [...findings, ...(await inspect(db, config, target, broken.has("SECRET_KEY")))];
    } finally {
      close(db);
    }
  },
};

function open(target: ConnectionTarget): Database {
  return createPool({
    target: { ...target, connectTimeoutMs: stepTimeoutMs },
    max: 1,
    statementTimeoutMs: stepTimeoutMs,
    connectTimeoutMs: stepTimeoutMs,
    log: silent,
  });
}

async function inspect(
  db: Database,
  config: Config,
  target: ConnectionTarget,
  isSecretKeyBroken: boolean,
): Promise<Finding[]> {
  try {
    await db.ping();
  } catch (error) {
    return [await explain(error, target)];
  }
  try {
    const { findings, mayCreate } = await inspectServer(db);
    const schema = await inspectMigrations(db, mayCreate);
    const keys = isSecretKeyBroken
      ? [warn("signing keys", "not looked at, since SECRET_KEY cannot be read", "mend SECRET_KEY")]
      : await inspectSigningKeys(db, config);
    return [...findings, ...schema, ...keys, ...(await inspectUsers(db, config))];
  } catch (error) {
    return [fail(name, `a statement failed: ${databaseFailure(error)}`, "look into the log of PostgreSQL")];
  }
}

const advice: Readonly<Record<string, string>> = {
  "connection refused": "start PostgreSQL, or correct the host and port in DATABASE_URL",
  "host name not found": "correct the host in DATABASE_URL",
  "sign-in refused": "correct the user and the password in DATABASE_URL, or pg_hba.conf",
  "database does not exist": "create the database, or correct its name in DATABASE_URL",
  "timed out": "see whether a firewall stands between, and whether PostgreSQL is overloaded",
  "TLS failed": "correct sslmode and sslrootcert in DATABASE_URL",
};

async function explain(error: unknown, target: ConnectionTarget): Promise<Finding> {
  const failure = databaseFailure(error);
  const mend = advice[failure] ?? "correct DATABASE_URL, or look into the log of PostgreSQL";
  if (failure !== "no host takes writes") return fail(name, `it cannot be reached: ${failure}`, mend);
  const db = open({ ...target, targetSessionAttrs: "any" });
  const answers = await answersAtAll(db);
  close(db);
  return answers
    ? fail(name, "it answers, but is read-only", "name the primary in DATABASE_URL, or promote the standby")
    : fail(name, "it cannot be reached", mend);
}

async function answersAtAll(db: Database): Promise<boolean> {
  try {
    await db.ping();
    return true;
  } catch {
    return false;
  }
}

/** Not awaited: a server that hangs would hold it up. */
function close(db: Database): void {
  void db.end().catch(() => undefined);
}
