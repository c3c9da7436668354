import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { api } from "../_harness/api.ts";
import { retry } from "../_harness/eventually.ts";
import { type Fleet, startFleet } from "../_harness/fleet.ts";
import { insertEvent } from "../_harness/rows/audit.ts";
import { mainFile, testSecretKey } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

let fleet: Fleet;
let sql: Client;
beforeAll(async () => {
  fleet = await startFleet(2);
  sql = await openSql(fleet.databaseUrl);
}, 120_000);
afterAll(async () => {
  await sql.end();
  await fleet.stop();
});

/** A follower, and the reasons of the events that it has printed. */
interface Follower {
  readonly child: ChildProcessWithoutNullStreams;
  readonly reasons: string[];
}

/** What the filters of this page let through. */
const filtered = { address: "192.0.2.7" };

const followers: Follower[] = [];
afterEach(async () => {
  for (const { child } of followers.splice(0)) {
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    await exited;
  }
});

/** Starts to follow, and waits until events come; those that it waits for are left out. */
async function follow(...args: string[]): Promise<Follower> {
  const env = {
    PATH: process.env["PATH"] ?? "",
    DATABASE_URL: fleet.databaseUrl,
    ISSUER: "http://localhost:8080",
    SECRET_KEY: testSecretKey,
  };
  const child = spawn(process.execPath, [mainFile, "audit", "follow", "--json", ...args], { env });
  const follower = { child, reasons: [] as string[] };
  followers.push(follower);
  let ready = false;
  createInterface(child.stdout).on("line", (line) => {
    const { reason } = JSON.parse(line) as { reason: string | null };
    if (reason === "ready") ready = true;
    // The events of the fleet's start have none. They come too where another database's transaction was still open then.
    else if (reason !== null) follower.reasons.push(reason);
  });
  await retry(60_000, async () => {
    await addRow(sql, "ready", filtered);
    // sleep: the follower looks again within a second; a row every 20 ms would be very many.
    await sleep(200);
    return ready ? true : null;
  });
  return follower;
}

function addRow(client: Client, reason: string, set: { at?: string; address?: string } = {}): Promise<void> {
  return insertEvent(client, { type: "store.recovered", reason, address: "198.51.100.7", ...set });
}

async function expectReasons({ reasons }: Follower, expected: readonly string[]): Promise<void> {
  await retry(30_000, () => Promise.resolve(reasons.length >= expected.length ? true : null));
  // sleep: one that came twice would come now.
  await sleep(1_500);
  expect(reasons).toEqual(expected);
}

describe("countersign audit follow", () => {
  test("loses no row that is committed after later ones, and prints each once", async () => {
    const follower = await follow();
    const late = await openSql(fleet.databaseUrl);
    try {
      await late.query("begin");
      await addRow(late, "written first, committed last");
      await addRow(sql, "written last, committed first");
      // sleep: time for the follower to look, and to pass the open transaction by if it did not mind.
      await sleep(2_000);
      await late.query("commit");
      const expected = ["written first, committed last", "written last, committed first"];
      await expectReasons(follower, expected);
    } finally {
      await late.end();
    }
  }, 100_000);

  test("prints what every replica writes, and nothing of what was undone", async () => {
    const follower = await follow();
    await sql.query("begin");
    await addRow(sql, "undone");
    await sql.query("rollback");
    for (const url of fleet.urls()) {
      await api(url).rest.login({ username: fleet.admin.username, password: "not the password" });
    }
    await expectReasons(follower, ["wrong_password", "wrong_password"]);
  }, 100_000);

  test("goes on across months", async () => {
    const follower = await follow();
    await addRow(sql, "next month", { at: "now() + interval '1 month'" });
    await addRow(sql, "this month");
    await addRow(sql, "in no month", { at: "now() + interval '2 years'" });
    await expectReasons(follower, ["next month", "this month", "in no month"]);
  }, 100_000);

  test("begins where --since says, and prints what the filters let through", async () => {
    await addRow(sql, "before", { ...filtered, at: "'2000-01-01T23:59:59.999999Z'" });
    await addRow(sql, "since", { ...filtered, at: "'2000-01-02T00:00:00Z'" });
    await addRow(sql, "another address", { at: "'2000-01-02T00:00:00Z'" });
    const filters = ["--since", "2000-01-02T00:00:00Z", "--type", "store.recovered"];
    const follower = await follow(...filters, "--address", "192.0.2.0/29");
    await api(fleet.nextUrl()).rest.login({ username: fleet.admin.username, password: "not the password" });
    await addRow(sql, "later", filtered);
    await expectReasons(follower, ["since", "later"]);
  }, 100_000);
});
