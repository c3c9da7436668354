import { readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import type { Client } from "pg";
import { failureClasses } from "../../src/ops/failure-classes.ts";
import { eventually } from "../_harness/eventually.ts";
import { hangPostgres } from "../_harness/hang-postgres.ts";
import { createTestDatabase, startTestCluster, type TestCluster } from "../_harness/postgres.ts";
import { startRedis, type TestRedis } from "../_harness/redis.ts";
import { root, startService, type TestService } from "../_harness/service.ts";
import { createSharedDatabase } from "../_harness/shared-stores.ts";
import { openSql } from "../_harness/sql.ts";
import { untilPostgresServes } from "../_harness/store-return.ts";

// its own SQL: it is about the locks, rights and rows of the health check.

// A check of writes comes every 5 s, and ten of these run one after the other.
const longMs = 300_000;
const noticedMs = 30_000;

/** The line of a check in the list on the private port. */
async function lineOf(service: TestService, check: string): Promise<string> {
  const answer = await fetch(`${service.opsUrl}/healthz?verbose`);
  const lines = (await answer.text()).split("\n");
  return lines.find((line) => line.slice(3).startsWith(`${check} `)) ?? "";
}

/** Waits until a check says so; what it said last is told where it does not. */
async function expectLine(service: TestService, check: string, line: string): Promise<void> {
  let last = "";
  await eventually(async () => (last = await lineOf(service, check)) === line, noticedMs, 50).catch(
    () => undefined,
  );
  expect(last).toBe(line);
}

test("the runbook has every kind of failure, with what to do", async () => {
  const text = await readFile(join(root, "docs", "operations.md"), "utf8");
  const rows = [...text.matchAll(/^\| `([^`]+)` \| ([^|]+) \|$/gm)].map(([, name, advice]) => [name, advice]);
  expect(rows).toEqual(expect.arrayContaining(Object.entries(failureClasses)));
});

describe("what health says of PostgreSQL", () => {
  let cluster: TestCluster;
  let service: TestService;
  let admin: Client;
  let url: string;
  beforeAll(async () => {
    cluster = await startTestCluster({ settings: { max_connections: "30" } });
    ({ url } = await createTestDatabase(cluster));
    admin = await openSql(cluster.url);
    const name = new URL(url).pathname.slice(1);
    await admin.query("create role service login password 'right'");
    await admin.query(`alter database ${name} owner to service`);
    await admin.query(`alter database ${name} set synchronous_commit = on`);
    const own = new URL(url);
    own.username = "service";
    own.password = "right";
    service = await startService({ env: { DATABASE_URL: own.href } });
  }, longMs);
  afterAll(async () => {
    await service.stop();
    await admin.end();
    await cluster.stop();
  });
  beforeEach(async () => {
    await expectLine(service, "postgres", "[+]postgres ok");
    await expectLine(service, "postgres_writes", "[+]postgres_writes ok");
  });

  const pidsOfService = async (): Promise<number[]> => {
    const { rows } = await admin.query<{ pid: number }>(
      "select pid from pg_stat_activity where usename = 'service'",
    );
    return rows.map(({ pid }) => pid);
  };
  const endConnections = () =>
    admin.query("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'service'");
  const set = async (setting: string): Promise<void> => {
    await admin.query(`alter system ${setting}`);
    await admin.query("select pg_reload_conf()");
  };

  test(
    "a server that is stopped",
    async () => {
      await admin.end();
      await cluster.pause();
      await expectLine(service, "postgres", "[-]postgres failed: connection refused");
      await cluster.start();
      await untilPostgresServes(service.url);
      admin = await openSql(cluster.url);
    },
    longMs,
  );

  test(
    "one that hangs",
    async () => {
      const goOn = await hangPostgres((await pidsOfService())[0] ?? -1);
      await expectLine(service, "postgres", "[-]postgres failed: timed out").finally(goOn);
    },
    longMs,
  );

  test(
    "a password that is no longer right",
    async () => {
      await admin.query("alter role service password 'wrong'");
      await endConnections();
      await expectLine(service, "postgres", "[-]postgres failed: sign-in refused");
      const told = service
        .logs()
        .findLast(({ msg, check }) => msg === "health check failed" && check === "postgres");
      expect(told).toMatchObject({ advice: failureClasses["sign-in refused"] });
      await admin.query("alter role service password 'right'");
    },
    longMs,
  );

  test(
    "no connections left",
    async () => {
      const others: Client[] = [];
      await admin.query("create role others login password 'right'");
      const asOthers = url.replace(/\/\/[^@]*@/, "//others:right@");
      try {
        // Whoever comes first has the last ones: where the service does, its connections are ended again.
        await eventually(
          async () => {
            await endConnections();
            let isRoom = true;
            while (isRoom) {
              const client = await openSql(asOthers).catch(() => null);
              isRoom = client !== null;
              if (client !== null) others.push(client.on("error", () => undefined));
            }
            return (await lineOf(service, "postgres")).includes("failed");
          },
          noticedMs,
          5,
        );
        await expectLine(service, "postgres", "[-]postgres failed: out of connections");
      } finally {
        await Promise.all(others.map((client) => client.end()));
      }
    },
    longMs,
  );

  test(
    "a server that became read-only",
    async () => {
      await set("set default_transaction_read_only = on");
      await expectLine(service, "postgres", "[-]postgres failed: read-only");
      await set("reset default_transaction_read_only");
    },
    longMs,
  );

  test(
    "a full disk",
    async () => {
      const { rows } = await admin.query<{ folder: string }>(
        "select current_setting('data_directory') as folder",
      );
      const folder = join(rows[0]?.folder ?? "", "base", "pgsql_tmp");
      await admin.query("set work_mem = '64kB'; select count(*) from generate_series(1, 12000)");
      // What is written to it finds no room. PostgreSQL names its files by process and number.
      const fill = async (): Promise<void> => {
        for (const pid of await pidsOfService()) {
          for (let count = 0; count < 200; count += 1) {
            await symlink("/dev/full", join(folder, `pgsql_tmp${pid}.${count}`)).catch(() => undefined);
          }
        }
      };
      // Again and again: the service may open a connection more.
      const filling = setInterval(() => void fill(), 200);
      try {
        await expectLine(
          service,
          "postgres_writes",
          "[-]postgres_writes failed: disk full (does not gate readiness)",
        );
      } finally {
        clearInterval(filling);
      }
      expect(await lineOf(service, "postgres")).toBe("[+]postgres ok");
      expect((await fetch(`${service.opsUrl}/readyz`)).status).toBe(200);
      await endConnections();
    },
    longMs,
  );

  test(
    "a standby that is waited for and is not there",
    async () => {
      await set("set synchronous_standby_names = 'absent'");
      await expectLine(
        service,
        "postgres_writes",
        "[-]postgres_writes failed: timed out (does not gate readiness)",
      );
      expect(await lineOf(service, "postgres")).toBe("[+]postgres ok");
      await set("reset synchronous_standby_names");
    },
    longMs,
  );

  test(
    "a lock that somebody holds, and a right that was taken away",
    async () => {
      const holder = await openSql(url);
      await holder.query("begin; lock table instances in access exclusive mode");
      await expectLine(
        service,
        "postgres_writes",
        "[-]postgres_writes failed: waiting for a lock (does not gate readiness)",
      );
      await holder.query("rollback");
      await holder.query("revoke insert on instances from service");
      await expectLine(
        service,
        "postgres_writes",
        "[-]postgres_writes failed: permission denied (does not gate readiness)",
      );
      await holder.query("grant insert on instances to service");
      await holder.end();
    },
    longMs,
  );

  test(
    "a check of writes leaves no row, and no table that grows",
    async () => {
      const sql = await openSql(url);
      await expectLine(service, "postgres_writes", "[+]postgres_writes ok");
      const { rows } = await sql.query("select id from instances where id like 'probe-%'");
      expect(rows).toEqual([]);
      const { rows: sizes } = await sql.query<{ bytes: string }>(
        "select pg_relation_size('instances') as bytes",
      );
      expect(Number(sizes[0]?.bytes)).toBeLessThanOrEqual(16_384);
      await sql.end();
    },
    longMs,
  );
});

describe("what health says of Redis", () => {
  let redis: TestRedis;
  let service: TestService;
  let admin: Redis;
  const failed = (words: string) => `[-]redis failed: ${words} (does not gate readiness)`;
  beforeEach(async () => {
    redis = await startRedis();
    admin = new Redis(redis.url, { maxRetriesPerRequest: 0 }).on("error", () => undefined);
    service = await startService({ env: { REDIS_URL: redis.url } });
    await expectLine(service, "redis", "[+]redis ok");
  }, longMs);
  afterEach(async () => {
    admin.disconnect();
    await service.stop();
    await redis.stop();
  }, longMs);

  /** Connections are kept where a rule for new ones changes. */
  const endConnections = () => admin.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");

  test(
    "one that is full, that is a replica, whose user may not run scripts, that hangs, and that is stopped",
    async () => {
      await admin.config("SET", "maxmemory-policy", "noeviction");
      await admin.config("SET", "maxmemory", "1");
      await expectLine(service, "redis", failed("out of memory"));
      expect((await fetch(`${service.opsUrl}/readyz`)).status).toBe(200);
      await admin.config("SET", "maxmemory", "0");
      await expectLine(service, "redis", "[+]redis ok");

      await admin.call("REPLICAOF", "127.0.0.1", "1");
      await expectLine(service, "redis", failed("read-only"));
      await admin.call("REPLICAOF", "NO", "ONE");
      await expectLine(service, "redis", "[+]redis ok");

      await admin.call("ACL", "SETUSER", "default", "-eval", "-evalsha");
      await expectLine(service, "redis", failed("permission denied"));
      await admin.call("ACL", "SETUSER", "default", "+eval", "+evalsha");
      await expectLine(service, "redis", "[+]redis ok");

      process.kill(redis.pid, "SIGSTOP");
      await expectLine(service, "redis", failed("timed out"));
      process.kill(redis.pid, "SIGCONT");
      await expectLine(service, "redis", "[+]redis ok");

      await redis.kill9();
      await expectLine(service, "redis", failed("connection refused"));
    },
    longMs,
  );

  test(
    "one that asks for a password",
    async () => {
      await admin.config("SET", "requirepass", "hunter2");
      await endConnections();
      await expectLine(service, "redis", failed("sign-in refused"));
      await admin.config("SET", "requirepass", "");
      await expectLine(service, "redis", "[+]redis ok");
    },
    longMs,
  );
});

describe("a Redis that is not what its address says", () => {
  test.each([
    ["has another password", (url: string) => url.replace("//", "//:wrong@"), "sign-in refused"],
    [
      "has no such database",
      (url: string) => `${url.replace("//", "//:right@")}/99`,
      "database does not exist",
    ],
    ["lets nobody run scripts", (url: string) => url.replace("//", "//:right@"), "scripts not allowed"],
  ])(
    "and %s is told of at the start, by health and by the doctor; nothing is written elsewhere",
    async (_, addressOf, words) => {
      const redis = await startRedis({
        args: [
          "--requirepass",
          "right",
          ...(words === "scripts not allowed"
            ? ["--rename-command", "EVAL", "", "--rename-command", "EVALSHA", ""]
            : []),
        ],
      });
      const database = await createSharedDatabase();
      const service = await startService({
        env: {
          DATABASE_URL: database.url,
          REDIS_URL: addressOf(redis.url),
          THROTTLE_REDIS_URL: addressOf(redis.url),
        },
      });
      const sql = new Redis(redis.url.replace("//", "//:right@"));
      try {
        await expectLine(service, "redis", `[-]redis failed: ${words} (does not gate readiness)`);
        await expectLine(
          service,
          "redis_throttles",
          `[-]redis_throttles failed: ${words} (does not gate readiness)`,
        );
        const { stdout } = await service.command(["doctor", "--json"]);
        const { findings } = JSON.parse(stdout) as { findings: { name: string; found: string }[] };
        const found = findings.filter(({ name }) => name.startsWith("Redis")).map((finding) => finding.found);
        expect(found).toEqual([expect.stringMatching(`: ${words}$`), expect.stringMatching(`: ${words}$`)]);
        expect(await sql.dbsize()).toBe(0);
      } finally {
        sql.disconnect();
        await service.stop();
        await database.drop();
        await redis.stop();
      }
    },
    longMs,
  );
});
