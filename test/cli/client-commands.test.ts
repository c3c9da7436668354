import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Client } from "pg";
import { sendForm } from "../_harness/rest.ts";
import { readClientsAsText } from "../_harness/rows/clients.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

// Every command is a process of its own.
jest.setTimeout(120_000);

let service: TestService;
let sql: Client;
beforeAll(async () => {
  service = await startService();
  sql = await openSql(service.databaseUrl);
}, 60_000);
afterAll(async () => {
  await sql.end();
  await service.stop();
});

const newId = () => `client-${randomBytes(5).toString("hex")}`;
const client = (...args: string[]) => service.command(["client", ...args]);
const secretForm = /^csc_[A-Za-z0-9_-]{43}$/;
const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Whether a client can get a token for itself. */
async function authenticates(id: string, secret: string): Promise<boolean> {
  const answer = await sendForm(`${service.url}/auth/token`, {
    grant_type: "client_credentials",
    client_id: id,
    client_secret: secret,
  });
  return answer.status === 200;
}

async function create(id: string, ...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await client("create", id, ...args, "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as Record<string, unknown>;
}

async function createMachine(id: string): Promise<string> {
  return (await create(id, "--grant", "client_credentials"))["client_secret"] as string;
}

const readDatabase = () => readClientsAsText(sql);

describe("client create", () => {
  test("registers a confidential client whose secret is random, shown once and stored nowhere", async () => {
    const [one, two] = [newId(), newId()];
    const { code, stdout, stderr } = await client("create", one, "--grant", "client_credentials");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [said, shown = "", ...others] = stdout.trimEnd().split("\n");
    expect([said, others]).toEqual([`registered ${one}`, []]);
    const secret = shown.replace("client_secret: ", "");
    expect(secret).toMatch(secretForm);
    expect(await authenticates(one, secret)).toBe(true);
    expect(await createMachine(two)).not.toBe(secret);

    const listed = await client("list", "--json");
    for (const text of [listed.stdout, await readDatabase(), service.output()]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(Buffer.from(secret).toString("hex"));
    }
  });

  test("prints with --json all that was registered", async () => {
    const id = newId();
    const made = await create(
      id,
      "--name",
      "Billing",
      "--first-party",
      "--introspect",
      "--audience",
      "https://api.example.org",
      "--audience",
      "api",
      "--redirect-uri",
      "https://app.example.org/back",
      "--logout-uri",
      "https://app.example.org/",
      "--grant",
      "password",
      "--grant",
      "refresh_token",
      "--scope",
      "a",
      "--scope",
      "b",
      "--access-token-ttl",
      "2m",
      "--refresh-grace",
      "0s",
    );
    expect(made).toEqual({
      id,
      name: "Billing",
      confidential: true,
      first_party: true,
      grants: ["password", "refresh_token"],
      scopes: ["a", "b"],
      audiences: ["https://api.example.org", "api"],
      redirect_uris: ["https://app.example.org/back"],
      post_logout_redirect_uris: ["https://app.example.org/"],
      can_introspect: true,
      access_token_ttl_seconds: 120,
      refresh_grace_ms: 0,
      created_at: expect.stringMatching(timeForm),
      etag: expect.any(String),
      client_secret: expect.stringMatching(secretForm),
    });
  });

  test("gives a public client no secret", async () => {
    const id = newId();
    expect(await create(id, "--public", "--grant", "refresh_token")).toEqual({
      id,
      name: id,
      confidential: false,
      first_party: false,
      grants: ["refresh_token"],
      scopes: [],
      audiences: [],
      redirect_uris: [],
      post_logout_redirect_uris: [],
      can_introspect: false,
      access_token_ttl_seconds: null,
      refresh_grace_ms: null,
      created_at: expect.stringMatching(timeForm),
      etag: expect.any(String),
    });
  });

  test.each([
    [["a client", "--grant", "refresh_token"], "The id must be letters, digits, .*"],
    [["countersign", "--grant", "refresh_token"], "The id is the built-in client's\\."],
    [["x"], "The grants must name at least one grant\\."],
    [["x", "--grant", "password"], "The grants must not hold password unless the client is first-party\\."],
    [
      ["x", "--public", "--grant", "client_credentials"],
      "The grants must not hold client_credentials unless the client has a secret\\.",
    ],
    [
      ["x", "--public", "--introspect", "--grant", "refresh_token"],
      "The can_introspect is for clients that have a secret\\.",
    ],
    [["x", "--grant", "refresh_token", "--scope", "two words"], "The scopes must be scope names .*"],
  ])("refuses %j with exit code 1", async (args, sentence) => {
    const { code, stdout, stderr } = await client("create", ...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(new RegExp(`^${sentence}\\n$`));
  });

  test("refuses an id that is taken, and leaves its client as it was", async () => {
    const id = newId();
    const secret = await createMachine(id);
    expect(await client("create", id, "--grant", "client_credentials")).toEqual({
      code: 1,
      stdout: "",
      stderr: "A client with this id exists already.\n",
    });
    expect(await authenticates(id, secret)).toBe(true);
  });
});

describe("client list", () => {
  test("is an object a line with --json, in the order of the ids, and holds no secret", async () => {
    const id = newId();
    const { client_secret: _shown, ...made } = await create(id, "--grant", "client_credentials");
    const { code, stdout, stderr } = await client("list", "--json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const all = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { id: string });
    expect(all.find((listed) => listed.id === id)).toEqual(made);
    expect(all.map((listed) => listed.id)).toEqual(all.map((listed) => listed.id).toSorted());
  });

  test("is a table on a terminal", async () => {
    const id = newId();
    await create(id, "--public", "--first-party", "--grant", "password", "--grant", "refresh_token");
    const [titles, ...rows] = (await client("list")).stdout.trimEnd().split("\n");
    expect(titles).toMatch(/^ID +KIND +GRANTS +SCOPES +AUDIENCES$/);
    expect(rows.find((row) => row.startsWith(id))).toMatch(
      /^client-\w+ +public, first-party +password,refresh_token +- +-$/,
    );
  });
});

describe("client rotate-secret", () => {
  test("gives another secret, shown once, and the old one ends within a second", async () => {
    const id = newId();
    const first = await createMachine(id);
    const { code, stdout, stderr } = await client("rotate-secret", id);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const second = stdout.trimEnd().replace("client_secret: ", "");
    expect(second).toMatch(secretForm);
    expect([await authenticates(id, first), await authenticates(id, second)]).toEqual([false, true]);
    const json = await client("rotate-secret", id, "--json");
    expect(JSON.parse(json.stdout)).toEqual({ id, client_secret: expect.stringMatching(secretForm) });
    // sleep: within a second is the promise.
    await delay(1000);
    expect(await authenticates(id, second)).toBe(false);
    expect(await readDatabase()).not.toContain(second);
  });

  test("fails with exit code 1 for a client that is public or not there", async () => {
    const id = newId();
    await create(id, "--public", "--grant", "refresh_token");
    for (const name of [id, newId(), "countersign"]) {
      const result = await client("rotate-secret", name);
      expect(result).toEqual({ code: 1, stdout: "", stderr: "There is no such confidential client.\n" });
    }
  });
});

describe("client delete", () => {
  test("takes a client away within a second, and fails with exit code 1 where there is none", async () => {
    const id = newId();
    const secret = await createMachine(id);
    expect(await authenticates(id, secret)).toBe(true);
    expect(await client("delete", id)).toEqual({ code: 0, stdout: `deleted ${id}\n`, stderr: "" });
    // sleep: within a second is the promise.
    await delay(1000);
    expect(await authenticates(id, secret)).toBe(false);
    for (const name of [id, "countersign"]) {
      const result = await client("delete", name);
      expect(result).toEqual({ code: 1, stdout: "", stderr: "There is no such client.\n" });
    }
  });
});

test.each([
  [["create"], "It takes one argument: ID."],
  [
    ["create", "x", "--grant", "implicit"],
    "A grant must be one of password, refresh_token, client_credentials.",
  ],
  [["create", "x", "--access-token-ttl", "900"], "--access-token-ttl must be a duration .*"],
  [["create", "x", "--access-token-ttl", "1s"], "--access-token-ttl must be at least 10s."],
  [["create", "x", "--refresh-grace", "1d"], "--refresh-grace must be a duration .*"],
  [["create", "x", "--secret", "hunter2"], "Passwords and tokens are read from .*"],
  [["create", "x", "--client-secret", "hunter2"], "Unknown option '--client-secret'."],
  [["list", "x"], "It takes no arguments, only options."],
  [["rotate-secret"], "It takes one argument: ID."],
  [["rotate-secret", "x", "hunter2"], "It takes one argument: ID."],
  [["delete"], "It takes one argument: ID."],
  [["delete", "x", "y"], "It takes one argument: ID."],
])("client %j is wrong usage, with exit code 2", async (args, sentence) => {
  const { code, stdout, stderr } = await client(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr.split("\n")[0]).toMatch(new RegExp(`^${sentence}$`));
  expect(stderr).toContain(`usage: countersign client ${args[0]}`);
  expect(stderr).not.toContain("hunter2");
});
