import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findIdentity, isRoot } from "../../src/postgres/embedded/identity.ts";
import { findDebianProgram } from "./debian-program.ts";
import { untilUp } from "./eventually.ts";
import { freePort, isOpen } from "./ports.ts";

/** A real PgBouncer before a PostgreSQL. */
export interface TestPgBouncer {
  /** The address of the same database through it. */
  readonly url: string;
  stop(): Promise<void>;
}

/** How it serves. */
export interface PgBouncerOptions {
  readonly mode: "transaction" | "session";
  /** Sessions of PostgreSQL at most. */
  readonly poolSize: number;
}

const startTimeoutMs = 20_000;

/** Starts it before the database of a URL, as its user. @throws where it is missing or does not start */
export async function startPgBouncer(databaseUrl: string, options: PgBouncerOptions): Promise<TestPgBouncer> {
  const program = await findDebianProgram("pgbouncer", "pgbouncer");
  const folder = await mkdtemp(join(tmpdir(), "countersign-test-pgbouncer-"));
  const identity = await findIdentity(join(folder, "none"));
  const port = await freePort();
  const database = new URL(databaseUrl);
  const files = {
    "pgbouncer.ini": configOf(folder, port, database, options),
    users: `"${database.username}" "${database.password}"\n`,
  };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text, { mode: 0o644 });
  }
  await chmod(folder, 0o755);
  if (isRoot()) await chown(folder, identity.uid, identity.gid);
  const child = spawn(program, ["--quiet", join(folder, "pgbouncer.ini")], {
    ...identity.switchTo,
    cwd: "/",
    stdio: "ignore",
  });
  const exited = once(child, "exit");
  const kill = () => child.kill("SIGTERM");
  process.once("exit", kill);
  const stop = async (): Promise<void> => {
    process.off("exit", kill);
    child.kill("SIGTERM");
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  await untilUp(child, () => isOpen(port), startTimeoutMs).catch(async () => {
    await stop();
    throw new Error("PgBouncer did not start.");
  });
  const url = new URL(databaseUrl);
  url.port = String(port);
  return { url: url.href, stop };
}

function configOf(folder: string, port: number, database: URL, options: PgBouncerOptions): string {
  return `[databases]
* = host=${database.hostname} port=${database.port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${join(folder, "users")}
pool_mode = ${options.mode}
default_pool_size = ${options.poolSize}
max_client_conn = 200
`;
}
