import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Client } from "pg";
import { requireTokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { eventually } from "../_harness/eventually.ts";
import * as given from "../_harness/given.ts";
import { send } from "../_harness/rest.ts";
import { countLiveSessions } from "../_harness/rows/sessions.ts";
import { readSigningKeys } from "../_harness/rows/signing-keys.ts";
import { countUsers } from "../_harness/rows/users.ts";
import {
  type CommandResult,
  runCommand,
  startService,
  type TestService,
  testSecretKey,
} from "../_harness/service.ts";
import { createSharedDatabase } from "../_harness/shared-stores.ts";
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

const kidForm = /^[A-Za-z0-9_-]{43}$/;
const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const key = (...args: string[]) => service.command(["key", ...args]);

interface ListedKey {
  readonly kid: string;
  readonly state: string;
}

async function listKeys(): Promise<ListedKey[]> {
  const { code, stdout, stderr } = await key("list", "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as ListedKey);
}

const published = async () => (await send(`${service.url}/.well-known/jwks.json`)).text;

describe("key rotate and key list", () => {
  test("publish a key that signs in 15 minutes, and show what becomes of both", async () => {
    const [first, ...none] = await listKeys();
    expect(none).toEqual([]);
    expect(first).toEqual({
      kid: expect.stringMatching(kidForm),
      alg: "ES256",
      state: "signs",
      created_at: expect.stringMatching(timeForm),
      signs_from: expect.stringMatching(timeForm),
      forgotten_at: null,
      sealed_by: expect.stringMatching(/^[0-9a-f]{8}$/),
      etag: expect.any(String),
    });
    expect(await key("rotate")).toEqual({
      code: 0,
      stdout: "a new key is published; it signs in 15 minutes\n",
      stderr: "",
    });
    const [old, next] = await listKeys();
    expect(old).toEqual({
      ...first,
      forgotten_at: expect.stringMatching(timeForm),
      etag: expect.any(String),
    });
    expect(next).toEqual({
      kid: expect.stringMatching(kidForm),
      alg: "ES256",
      state: "published",
      created_at: expect.stringMatching(timeForm),
      signs_from: expect.stringMatching(timeForm),
      forgotten_at: null,
      sealed_by: expect.stringMatching(/^[0-9a-f]{8}$/),
      etag: expect.any(String),
    });
    await eventually(async () => (await published()).includes(next?.kid ?? "none"));

    const { stdout } = await key("list");
    const [titles, ...rows] = stdout.trimEnd().split("\n");
    expect(titles).toMatch(/^KID +ALGORITHM +STATE +SIGNS FROM +FORGOTTEN AT$/);
    expect(rows.map((row) => row.split(/ +/).slice(0, 3))).toEqual([
      [old?.kid, "ES256", "signs"],
      [next?.kid, "ES256", "published"],
    ]);
    expect(rows[1]).toMatch(/ -$/);
  });

  test("show no private half of a key, sealed or not", async () => {
    const { stdout } = await key("list", "--json");
    for (const { sealed } of await readSigningKeys(sql)) {
      for (const coding of ["hex", "base64", "base64url"] as const) {
        expect(stdout).not.toContain(sealed.toString(coding).slice(0, 40));
      }
    }
  });

  test("before there is any key say so, and make one that signs at once", async () => {
    const database = await createSharedDatabase();
    const env = (url: string) => ({
      PATH: process.env["PATH"] ?? "",
      DATABASE_URL: url,
      ISSUER: "http://localhost",
      SECRET_KEY: testSecretKey,
    });
    const run = (...args: string[]): Promise<CommandResult> =>
      runCommand(["key", ...args], env(database.url));
    try {
      expect(await run("list")).toEqual({
        code: 1,
        stdout: "",
        stderr: expect.stringMatching(
          /^This database holds no tables of Countersign\. .*`countersign migrate`\.\n$/,
        ),
      });
      expect((await runCommand(["migrate"], env(database.url))).code).toBe(0);
      const none = "There are no signing keys yet: the service makes one at its start.\n";
      expect(await run("list")).toEqual({ code: 0, stdout: "", stderr: none });
      const made = "a new key is published; it signs at once\n";
      expect(await run("rotate")).toEqual({ code: 0, stdout: made, stderr: "" });
      expect(JSON.parse((await run("list", "--json")).stdout)).toMatchObject({ state: "signs" });
    } finally {
      await database.drop();
    }
  });
});

describe("key drop", () => {
  test("takes a key away at once, and fails with exit code 1 where there is none", async () => {
    const signer = (await listKeys()).find(({ state }) => state === "signs")?.kid ?? "";
    expect(await key("drop", signer)).toEqual({ code: 0, stdout: `dropped ${signer}\n`, stderr: "" });
    await eventually(async () => !(await published()).includes(signer));
    expect((await listKeys()).map(({ kid }) => kid)).not.toContain(signer);
    expect(await key("drop", signer)).toEqual({
      code: 1,
      stdout: "",
      stderr: "There is no such signing key.\n",
    });
  });

  test.each([
    ["one hyphen", ["-".padEnd(43, "k")]],
    ["two", ["--".padEnd(43, "k")]],
    ["one, behind --", ["--", "-".padEnd(43, "k")]],
  ])("takes a key id that begins as an option does: %s", async (_what, args) => {
    const none = { code: 1, stdout: "", stderr: "There is no such signing key.\n" };
    expect(await key("drop", ...args)).toEqual(none);
  });

  test("still knows its options, and refuses others", async () => {
    expect(await key("drop", "--help")).toMatchObject({ code: 0, stderr: "" });
    expect(await key("drop", "-k")).toMatchObject({ code: 2, stdout: "" });
  });
});

describe("key reseal", () => {
  const newSecret = "the-next-secret-key-0123456789-abcdefghijklm";

  /** Runs it with another SECRET_KEY than the service has. */
  const reseal = (secrets: string): Promise<CommandResult> =>
    runCommand(["key", "reseal", "--json"], {
      PATH: process.env["PATH"] ?? "",
      DATABASE_URL: database.url,
      ISSUER: "http://localhost",
      SECRET_KEY: secrets,
    });
  let database: Awaited<ReturnType<typeof createSharedDatabase>>;
  beforeAll(async () => {
    database = await createSharedDatabase();
    const env = { PATH: process.env["PATH"] ?? "", DATABASE_URL: database.url, SECRET_KEY: testSecretKey };
    for (const args of [["migrate"], ["key", "rotate"]]) {
      await runCommand(args, { ...env, ISSUER: "http://localhost" });
    }
  });
  afterAll(() => database.drop());

  test("seals the keys under the first secret, and says which are left that it cannot open", async () => {
    const rows = await openSql(database.url);
    const [{ kid, sealedBy } = { kid: "", sealedBy: "" }] = await readSigningKeys(rows);
    const lost = await reseal(newSecret);
    expect([lost.code, JSON.parse(lost.stdout)]).toEqual([1, { resealed_kids: [], unopenable_kids: [kid] }]);
    const { code, stdout } = await reseal(`${newSecret},${testSecretKey}`);
    expect([code, JSON.parse(stdout)]).toEqual([0, { resealed_kids: [kid], unopenable_kids: [] }]);
    const [moved] = await readSigningKeys(rows);
    expect([moved?.kid, moved?.sealedBy === sealedBy]).toEqual([kid, false]);
    expect(JSON.parse((await reseal(newSecret)).stdout)).toEqual({ resealed_kids: [], unopenable_kids: [] });
    await rows.end();
  });
});

describe("recover", () => {
  test("does nothing without --yes, and says what it would do", async () => {
    const before = await listKeys();
    const tokens = await given.session(service, { sql });
    const { code, stdout, stderr } = await service.command(["recover"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe(
      "It ends the sessions of all users and replaces every signing key: add --yes.\n" +
        "usage: countersign recover [OPTION]...\n",
    );
    expect(await listKeys()).toEqual(before);
    requireTokens(await api(service).rest.refresh(tokens.refresh_token));
  });

  test("ends every session and replaces every key, and counts them", async () => {
    await key("rotate");
    const kids = (await listKeys()).map(({ kid }) => kid);
    const user = await given.user(sql);
    const tokens = [await api(service).rest.login(user), await api(service).rest.login(user)].map(
      requireTokens,
    );
    const live = { users: await countUsers(sql), sessions: await countLiveSessions(sql) };
    const { code, stdout, stderr } = await service.command(["recover", "--yes", "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const told = JSON.parse(stdout) as { dropped_kids: string[]; kid: string };
    expect(told).toEqual({
      users: live.users,
      sessions_ended: live.sessions,
      dropped_kids: expect.any(Array),
      kid: expect.stringMatching(kidForm),
    });
    expect(told.dropped_kids.toSorted()).toEqual(kids.toSorted());
    expect((await listKeys()).map(({ kid }) => kid)).toEqual([told.kid]);
    for (const { access_token, refresh_token } of tokens) {
      expect((await api(service).rest.me(access_token)).status).toBe(401);
      expect((await api(service).rest.refresh(refresh_token)).status).toBe(401);
    }
    requireTokens(await api(service).rest.login(user));
    const { stdout: plain } = await service.command(["recover", "--yes"]);
    expect(plain).toMatch(
      /^ended 1 sessions of \d+ users\ndropped 1 signing keys; [A-Za-z0-9_-]{43} signs\n$/,
    );
  });
});

test.each([
  [["key", "list", "x"], "It takes no arguments, only options."],
  [["key", "rotate", "x"], "It takes no arguments, only options."],
  [["key", "rotate", "--now"], "Unknown option '--now'."],
  [["key", "drop"], "It takes one argument: KID."],
  [["key", "drop", "a", "b"], "It takes one argument: KID."],
  [["recover", "--yes", "x"], "It takes no arguments, only options."],
])("%j is wrong usage, with exit code 2", async (args, sentence) => {
  const { code, stdout, stderr } = await service.command(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr.split("\n")[0]).toBe(sentence);
});
