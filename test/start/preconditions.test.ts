import { createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { api } from "../_harness/api.ts";
import { eventually } from "../_harness/eventually.ts";
import * as given from "../_harness/given.ts";
import { freePort, isOpen } from "../_harness/ports.ts";
import { bearerOf } from "../_harness/rest.ts";
import { runCommand, startService, testSecretKey } from "../_harness/service.ts";
import { createSharedDatabase } from "../_harness/shared-stores.ts";
import { openSql } from "../_harness/sql.ts";
import { diagnose } from "../cli/diagnose.ts";
import { endLeftProcesses, startProcess } from "./start-process.ts";

const plain = {
  SECRET_KEY: testSecretKey,
  ISSUER: "http://localhost",
  BOOTSTRAP_PASSWORD: "correct horse battery",
  ARGON2_MEMORY_KIB: "64",
};
const longMs = 120_000;
afterEach(endLeftProcesses);

describe("a database whose defaults are others", () => {
  test(
    "is used as any: nothing of ours hangs on them",
    async () => {
      const database = await createSharedDatabase();
      const name = new URL(database.url).pathname.slice(1);
      const sql = await openSql(database.url);
      const settings: Record<string, string> = {
        default_transaction_isolation: "'repeatable read'",
        default_transaction_deferrable: "on",
        timezone: "'Asia/Kathmandu'",
        datestyle: "'German, DMY'",
        intervalstyle: "sql_standard",
        bytea_output: "escape",
        extra_float_digits: "-15",
        standard_conforming_strings: "off",
        array_nulls: "off",
        lock_timeout: "'1ms'",
        // They end the very statement that sets them, too: not less than that takes on a busy machine.
        statement_timeout: "'5s'",
        transaction_timeout: "'5s'",
        idle_in_transaction_session_timeout: "'5s'",
        idle_session_timeout: "'300ms'",
      };
      const { rows } = await sql.query<{ name: string }>(
        "select name from pg_settings where name = any($1)",
        [Object.keys(settings)],
      );
      for (const { name: setting } of rows) {
        await sql.query(`alter database ${name} set ${setting} = ${settings[setting]}`);
      }
      await sql.end();
      const service = await startService({ env: { DATABASE_URL: database.url } });
      try {
        const startedAt = Date.now();
        const tokens = await given.session(service, { user: service.admin });
        // Side by side they wait for one another's row; with a stricter isolation all but one would fail.
        const answers = await Promise.all(
          Array.from({ length: 12 }, () => api(service).rest.refresh(tokens.refresh_token)),
        );
        expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
        const answer = await fetch(`${service.url}/auth/sessions`, {
          headers: bearerOf(tokens.access_token),
        });
        const { sessions } = (await answer.json()) as { sessions: { created_at: string }[] };
        const began = Date.parse(sessions[0]?.created_at ?? "");
        expect(Math.abs(began - startedAt)).toBeLessThan(60_000);
        expect(service.logs().filter(({ level }) => level === "error")).toEqual([]);
      } finally {
        await service.stop();
        await database.drop();
      }
    },
    longMs,
  );
});

describe("what a start and the doctor both ask of a database", () => {
  let url: string;
  let admin: Client;
  let drop: () => Promise<void>;
  let role: string;
  beforeAll(async () => {
    const database = await createSharedDatabase();
    ({ url, drop } = database);
    admin = await openSql(url);
    role = `${new URL(url).pathname.slice(1)}_service`;
    await admin.query(`create role ${role} login password 'of-the-service'`);
    const migrated = await runCommand(["migrate"], {
      PATH: process.env["PATH"] ?? "",
      DATABASE_URL: url,
      ...plain,
    });
    if (migrated.code !== 0) throw new Error(migrated.stderr);
  });
  afterAll(async () => {
    await admin.query(`drop owned by ${role}`);
    await admin.end();
    await drop();
    const other = await createSharedDatabase();
    const sql = await openSql(other.url);
    await sql.query(`drop role ${role}`);
    await sql.end();
    await other.drop();
  });
  const asService = (address = url): string => {
    const result = new URL(address);
    result.username = role;
    result.password = "of-the-service";
    return result.href;
  };

  /** How a start ends that does not come to serve. */
  async function refusal(databaseUrl: string): Promise<string> {
    const process = await startProcess({ env: { ...plain, DATABASE_URL: databaseUrl } });
    expect(await process.end()).toBe(1);
    return process.output();
  }
  const failures = async (databaseUrl: string): Promise<string[]> => {
    const { findings } = await diagnose({ ...plain, DATABASE_URL: databaseUrl });
    return findings.filter(({ status }) => status === "fail").map(({ found }) => found);
  };

  test(
    "a role without CREATE starts where nothing is to be migrated, and is told which rights it lacks",
    async () => {
      await admin.query(`grant usage on schema public to ${role}`);
      await admin.query(`grant select on schema_migrations to ${role}`);
      const lacking = expect.stringMatching(
        /^the role may not .*; select, insert on audit_events; .* on users$/,
      );
      expect(await failures(asService())).toEqual([lacking]);
      const output = await refusal(asService());
      expect(output).toContain("The database is not what the service needs:");
      expect(output).toContain(
        `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`,
      );

      await admin.query(`grant select, insert, update, delete on all tables in schema public to ${role}`);
      await admin.query(`grant usage on all sequences in schema public to ${role}`);
      expect(await failures(asService())).toEqual([]);
      const service = await startService({ env: { DATABASE_URL: asService(), ISSUER: "http://localhost" } });
      try {
        expect((await api(service).rest.login(service.admin)).status).toBe(200);
        expect(service.logs()).toContainEqual(
          expect.objectContaining({
            level: "warn",
            msg: expect.stringContaining("does not own the audit trail"),
          }),
        );
      } finally {
        await service.stop();
      }
    },
    longMs,
  );

  test(
    "a role that may not create tables is refused where there is something to migrate",
    async () => {
      const database = await createSharedDatabase();
      const found = expect.stringMatching(/^\d+ migrations are pending, and the role may not create tables$/);
      expect(await failures(asService(database.url))).toEqual([found]);
      expect(await refusal(asService(database.url))).toContain(`GRANT CREATE ON SCHEMA public TO ${role}`);
      await database.drop();
    },
    longMs,
  );

  test(
    "a database in another encoding is refused, before its first name that it cannot hold",
    async () => {
      const name = `${new URL(url).pathname.slice(1)}_latin`;
      await admin.query(
        `create database ${name} encoding 'LATIN1' template template0 locale_provider libc locale 'C'`,
      );
      const latin = new URL(url);
      latin.pathname = `/${name}`;
      const found = "its encoding is LATIN1, which cannot hold every name";
      expect(await failures(latin.href)).toContain(found);
      expect(await refusal(latin.href)).toContain(found);
      await admin.query(`drop database ${name} with (force)`);
    },
    longMs,
  );

  test(
    "tables in a schema that is no longer the first are not made a second time",
    async () => {
      await admin.query("create schema other");
      const options = encodeURIComponent("-c search_path=other,public");
      const found = "its tables are in public, but search_path begins with other";
      expect(await failures(`${url}&options=${options}`)).toContain(found);
      expect(await refusal(`${url}&options=${options}`)).toContain(found);
      const { rows } = await admin.query("select 1 from pg_class where relnamespace = 'other'::regnamespace");
      expect(rows).toEqual([]);
      await admin.query("drop schema other");
    },
    longMs,
  );
});

describe("a start that waits for its database", () => {
  let silent: Server | null = null;
  const sockets = new Set<Socket>();
  afterEach(() => {
    silent?.close();
    for (const socket of sockets) socket.destroy();
  });

  /** Accepts connections and never answers. */
  async function startSilent(): Promise<number> {
    silent = createServer((socket) => {
      sockets.add(socket.on("error", () => undefined));
    }).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const address = silent.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return address.port;
  }

  test.each([
    ["refuses", async () => freePort(), /^\[-\]postgres failed: connection refused$/m],
    ["is silent", startSilent, /^\[-\]postgres failed: timed out$/m],
  ])(
    "that %s tells so on the private port, and ends promptly at SIGTERM",
    async (_, findPort, line) => {
      const port = await findPort();
      const service = await startProcess({
        env: { ...plain, DATABASE_URL: `postgres://anna:secret@127.0.0.1:${port}/x?sslmode=disable` },
      });
      const get = async (path: string) => {
        const answer = await fetch(service.opsUrl + path).catch(() => null);
        return { status: answer?.status, body: await answer?.text() };
      };
      await eventually(async () => line.test((await get("/healthz?verbose")).body ?? ""), 30_000, 50);
      const statuses = await Promise.all(["/livez", "/startupz", "/readyz"].map(get));
      expect(statuses.map(({ status }) => status)).toEqual([200, 503, 503]);
      expect((await get("/healthz?verbose")).body).toContain("[-]phase starting\n");
      expect((await get("/metrics")).body).toContain('countersign_phase{phase="starting"} 1');
      expect(await isOpen(Number(new URL(service.url).port))).toBe(false);
      const signalledAt = performance.now();
      expect(await service.end("SIGTERM")).toBe(0);
      // What is opened is closed within two seconds; the rest is for a busy machine.
      expect(performance.now() - signalledAt).toBeLessThan(10_000);
      expect(service.logs().at(-1)).toMatchObject({ msg: "the service was stopped before it was ready" });
    },
    longMs,
  );
});
