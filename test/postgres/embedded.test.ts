import { readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { findRunningPostgres } from "../../src/postgres/embedded/find-running-postgres.ts";
import { isRoot } from "../../src/postgres/embedded/identity.ts";
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from "../../src/postgres/embedded/start-embedded-postgres.ts";
import { createPool } from "../../src/postgres/pool.ts";
import { type Holder, startHolder } from "./holder.ts";

const messages: string[] = [];
const note = (_fields: object, message: string) => void messages.push(message);
const log = { info: note, warn: note, error: note };

async function ask<Row extends object>(postgres: EmbeddedPostgres, text: string): Promise<Row[]> {
  const db = createPool({
    target: postgres.connection,
    max: 1,
    statementTimeoutMs: 5000,
    connectTimeoutMs: 5000,
    log,
  });
  try {
    return await db.query<Row>({ name: "ask", text });
  } finally {
    await db.end();
  }
}

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "countersign-embedded-"));
  // Others may pass through, as through most folders that hold a project.
  await rm(root, { recursive: true });
  await mkdir(root, { mode: 0o711 });
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe("an embedded PostgreSQL", () => {
  let dataDir: string;
  let holder: Holder | null = null;
  beforeAll(() => {
    dataDir = join(root, "one", "data dir");
  });
  afterAll(async () => {
    await holder?.end("SIGTERM");
  });

  test("starts in a folder that does not exist, durable, on a Unix socket alone, and not as a superuser", async () => {
    const postgres = await startEmbeddedPostgres({ dataDir, log });
    try {
      const [row] = await ask(
        postgres,
        `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
          current_setting('listen_addresses') AS tcp, current_setting('data_checksums') AS checksums,
          pg_encoding_to_char(encoding) AS encoding, lower('ÄÖÜ') AS lower, rolsuper AS super
        FROM pg_database, pg_roles WHERE datname = current_database() AND rolname = current_user`,
      );
      expect(row).toEqual({
        fsync: "on",
        commit: "on",
        tcp: "",
        checksums: "on",
        encoding: "UTF8",
        lower: "äöü",
        super: false,
      });
      expect(Number(postgres.version.split(".")[0])).toBeGreaterThanOrEqual(15);
    } finally {
      await postgres.stop();
    }
  });

  test("keeps its files from others: the password 0600, the cluster 0700, DATA_DIR closed to all but its users", () => {
    const mode = (...path: string[]) => statSync(join(dataDir, ...path)).mode & 0o777;
    expect(mode()).toBe(isRoot() ? 0o710 : 0o700);
    expect(mode("postgres", "data")).toBe(0o700);
    expect(mode("postgres", "password")).toBe(0o600);
    expect(mode("postgres.log")).toBe(0o600);
  });

  test("keeps its data over a restart, and is there again in less than 3 s", async () => {
    const first = await startEmbeddedPostgres({ dataDir, log });
    await ask(first, "SELECT lo_from_bytea(4711, 'kept')");
    await first.stop();
    const startedAt = performance.now();
    const second = await startEmbeddedPostgres({ dataDir, log });
    const tookMs = performance.now() - startedAt;
    try {
      expect(await ask(second, "SELECT lo_get(4711)::text AS kept")).toEqual([{ kept: "\\x6b657074" }]);
      expect(tookMs).toBeLessThan(3000);
    } finally {
      await second.stop();
    }
  });

  test("is refused to a second service, which is told the folder and the process that holds it", async () => {
    holder = await startHolder(dataDir);
    await expect(startEmbeddedPostgres({ dataDir, log })).rejects.toThrow(
      `The folder ${dataDir} is in use by another service, process ${holder.pid}.`,
    );
  });

  test("is found by a command beside the service, and by none once the service has ended", async () => {
    const target = await findRunningPostgres(dataDir);
    if (target === null) {
      throw new Error("no target");
    }
    const db = createPool({ target, statementTimeoutMs: 5000, connectTimeoutMs: 5000, log });
    expect(await db.query({ name: "one", text: "SELECT 1 AS one" })).toEqual([{ one: 1 }]);
    await db.end();
    expect(await findRunningPostgres(join(root, "nowhere"))).toBeNull();
    await expect(startEmbeddedPostgres({ dataDir, log })).rejects.toThrow("is in use by another service");
  });

  test("recovers what was committed when its service is killed, and stops the server that was left", async () => {
    const killed = holder ?? (await startHolder(dataDir));
    await killed.end("SIGKILL");
    expect(await findRunningPostgres(dataDir)).toBeNull();
    holder = await startHolder(dataDir);
    expect(holder.starts).toBe(killed.starts + 1);
    expect(holder.postgres).not.toBe(killed.postgres);
    expect(isAlive(killed.postgres)).toBe(false);
  });

  test("recovers when service and server are killed together", async () => {
    const killed = holder ?? (await startHolder(dataDir));
    process.kill(killed.postgres, "SIGKILL");
    await killed.end("SIGKILL");
    holder = await startHolder(dataDir);
    expect(holder.starts).toBe(killed.starts + 1);
  });

  test("writes no value that a statement carried into its log", async () => {
    await holder?.end("SIGTERM");
    holder = null;
    const postgres = await startEmbeddedPostgres({ dataDir, log });
    await expect(ask(postgres, "SELECT 'hunter2'::int")).rejects.toThrow("invalid input syntax");
    await postgres.stop();
    expect(readFileSync(join(dataDir, "postgres.log"), "utf8")).not.toContain("hunter2");
  });

  test("frees its folder at once when a start fails", async () => {
    const start = async (): Promise<unknown> => {
      for (;;) {
        const postgres = await startEmbeddedPostgres({ dataDir, log, startTimeoutMs: 1 });
        // A busy machine looks for the first time when it is ready already.
        await postgres.stop();
      }
    };
    await expect(start()).rejects.toThrow(
      /did not start: Error: It is not ready after 1 ms\. Its log .*postgres\.log/,
    );
    const postgres = await startEmbeddedPostgres({ dataDir, log });
    await postgres.stop();
  });
});

test("a DATA_DIR too long for a Unix socket gets a private socket folder that is removed again", async () => {
  const before = temporarySockets();
  const dataDir = join(root, "long".padEnd(100, "x"), "long".padEnd(100, "y"));
  const postgres = await startEmbeddedPostgres({ dataDir, log });
  try {
    const folder = postgres.connection.hosts[0]?.host ?? "";
    expect(folder.startsWith(root)).toBe(false);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(await ask(postgres, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  } finally {
    await postgres.stop();
  }
  expect(temporarySockets()).toEqual(before);
});

if (isRoot()) {
  test("as root, a DATA_DIR that nobody can enter keeps its data in a folder that is said and remembered", async () => {
    const closed = join(root, "closed");
    await mkdir(closed, { mode: 0o700 });
    const dataDir = join(closed, ".countersign");
    messages.length = 0;
    const first = await startEmbeddedPostgres({ dataDir, log });
    const { folder } = first;
    try {
      await first.stop();
      expect(folder).toMatch(/^\/(var\/lib|var\/db|srv)\/countersign-[0-9a-f]{16}/);
      expect(messages.join()).toContain("its data is kept in this folder instead");
      const second = await startEmbeddedPostgres({ dataDir, log });
      await second.stop();
      expect(second.folder).toBe(folder);
      await rm(folder, { recursive: true });
      await expect(startEmbeddedPostgres({ dataDir, log })).rejects.toThrow(
        "which is no folder of this service",
      );
    } finally {
      await first.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
} else {
  test.todo(
    "as root, a DATA_DIR that nobody can enter keeps its data in a folder that is said and remembered (needs root)",
  );
}

function temporarySockets(): string[] {
  return readdirSync(tmpdir()).filter((name) => /^countersign-[A-Za-z0-9]{6}$/.test(name));
}

/** A zombie, which an init that does not wait for it may leave, has no command line. */
function isAlive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8") !== "";
  } catch {
    return false;
  }
}
