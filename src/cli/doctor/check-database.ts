import type { Config } from "../../config/config.ts";
import type { ConnectionTarget } from "../../postgres/connection-string.ts";
import { createPool, type Database } from "../../postgres/pool.ts";
import { failureClass } from "../../ops/failure-class.ts";
import { failureClasses } from "../../ops/failure-classes.ts";
import { describeTarget } from "../../app/describe-target.ts";
import { findDatabase } from "./find-database.ts";
import { type Check, fail, type Finding, ok, warn } from "./finding.ts";
import { inspectMigrations } from "./inspect-migrations.ts";
import { inspectServer } from "./inspect-server.ts";
import { inspectUsers } from "./inspect-users.ts";
import { inspectSigningKeys } from "./inspect-signing-keys.ts";

const name = "database";
/** Short enough that several fit into the time of a check. */
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
      const address = ok("DATABASE_URL", describeTarget(target));
      const own = config.database.url === null ? [] : [address];
      return [...findings, ...own, ...(await inspect(db, config, target, broken.has("SECRET_KEY")))];
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
    const findings = await inspectServer(db);
    const schema = await inspectMigrations(db);
    const mayRead = !schema.some((finding) => finding.name === "rights" && finding.status === "fail");
    const keys = isSecretKeyBroken
      ? [warn("signing keys", "not checked, since SECRET_KEY cannot be read", "correct SECRET_KEY")]
      : mayRead
        ? await inspectSigningKeys(db, config)
        : [];
    const users = mayRead ? await inspectUsers(db, config) : [];
    return [...findings, ...schema, ...keys, ...users];
  } catch (error) {
    const failure = failureClass(error);
    return [fail(name, `a statement failed: ${failure}`, failureClasses[failure])];
  }
}

async function explain(error: unknown, target: ConnectionTarget): Promise<Finding> {
  const failure = failureClass(error);
  const mend = failureClasses[failure];
  if (failure !== "read-only") return fail(name, `it cannot be reached: ${failure}`, mend);
  const db = open({ ...target, targetSessionAttrs: "any" });
  const answers = await answersAtAll(db);
  close(db);
  return answers
    ? fail(name, "it answers, but is read-only", mend)
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

/** Not awaited: a server that hangs would delay it. */
function close(db: Database): void {
  void db.end().catch(() => undefined);
}
