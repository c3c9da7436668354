import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Client } from "pg";
import { printError, printJson, printLine, printText } from "../../src/cli/output.ts";
import { createTable } from "../../src/cli/table.ts";
import * as given from "../_harness/given.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

// Clears the screen, sets a title (C1), turns the direction of writing, hides, and is half a pair.
const hostile =
  "a\u001b[2Jb\u009b2Jc\u009d0;title\u009cd\u202ee\u2066f\u200fg\u007fh\u0085i\u{e0041}j\ud800k";
const drawing = /[\p{Cc}\p{Cs}\u200f\u202e\u2066\u{e0041}]/u;

/** What is printed to both outputs meanwhile. */
function printed(run: () => void): string {
  let text = "";
  const spies = (["stdout", "stderr"] as const).map((name) =>
    jest.spyOn(process[name], "write").mockImplementation((chunk) => {
      text += String(chunk);
      return true;
    }),
  );
  try {
    run();
    return text;
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

describe("whatever a command prints", () => {
  test.each<[string, (text: string) => void]>([
    ["a line", printLine],
    ["text", printText],
    ["an error", printError],
    ["JSON", (text) => printJson({ text })],
    ["a table", (text) => tableOf(["TITLE"], [[text]])],
  ])("%s draws nothing on the terminal", (_, print) => {
    const text = printed(() => print(hostile)).replaceAll("\n", "");
    expect(text).not.toMatch(drawing);
    expect(text).toContain("\\u009b2Jc");
  });

  test("JSON means the same with its escapes", () => {
    expect(JSON.parse(printed(() => printJson({ hostile })))).toEqual({ hostile });
  });

  test("a value brings no line of its own", () => {
    const value = "one\ntwo";
    expect(printed(() => printLine(value))).toBe("one\\u000atwo\n");
    expect(printed(() => tableOf(["TITLE"], [[value]])).split("\n")).toHaveLength(3);
  });
});

function tableOf(titles: readonly string[], rows: readonly (readonly string[])[]): void {
  const table = createTable(titles);
  for (const row of rows) table.add(row);
  table.end();
}

describe("a table", () => {
  const { isTTY, columns } = process.stdout;
  afterEach(() => void Object.assign(process.stdout, { isTTY, columns }));
  const print = (width: number | null): string => {
    Object.assign(process.stdout, { isTTY: width !== null, columns: width });
    const row = ["usr_0123456789", "anna@example.org", "2026-05-04T09:30:00Z"];
    return printed(() => tableOf(["ID", "E-MAIL", "LAST LOGIN"], [row, row]));
  };
  const wide = [
    "ID              E-MAIL            LAST LOGIN",
    "usr_0123456789  anna@example.org  2026-05-04T09:30:00Z",
    "usr_0123456789  anna@example.org  2026-05-04T09:30:00Z",
    "",
  ].join("\n");

  test("has its columns where they fit, and where there is no terminal", () => {
    expect(print(54)).toBe(wide);
    expect(print(null)).toBe(wide);
  });

  test("has a line for each cell where the terminal is too narrow, and cuts nothing off", () => {
    const record = [
      "ID          usr_0123456789",
      "E-MAIL      anna@example.org",
      "LAST LOGIN  2026-05-04T09:30:00Z",
      "",
    ];
    expect(print(53)).toBe([...record, ...record, ""].join("\n"));
  });
});

describe("listings", () => {
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

  test("show a caller's User-Agent without what it would draw, and users in the order of their names", async () => {
    for (const username of ["zoe", "Bert", "anna"]) await given.user(sql, { username });
    const userAgent = "Mozilla\u009b2J\u009d0;x\u009c";
    const answer = await fetch(`${service.url}/auth/login`, {
      method: "POST",
      headers: { "user-agent": userAgent },
      body: new URLSearchParams({ username: "zoe", password: service.admin.password }),
    });
    expect(answer.status).toBe(200);
    for (const args of [
      ["session", "list", "zoe"],
      ["session", "list", "zoe", "--json"],
      ["audit", "list", "--json"],
    ]) {
      const { stdout, code } = await service.command(args);
      expect(code).toBe(0);
      expect(stdout).toContain("Mozilla\\u009b2J");
      expect(stdout.replaceAll("\n", "")).not.toMatch(drawing);
    }
    const { stdout } = await service.command(["user", "list"]);
    const names = stdout.split("\n").map((line) => line.split(" ")[0]);
    expect(names).toEqual(["NAME", "admin", "anna", "Bert", "zoe", ""]);
  }, 60_000);

  test("and results are JSON with --json, and times have one form without", async () => {
    const user = await given.user(sql);
    const read = async (...args: string[]): Promise<unknown> => {
      const { stdout, stderr, code } = await service.command([...args, "--json"]);
      expect({ args, stderr, code }).toEqual({ args, stderr: "", code: 0 });
      return JSON.parse(stdout);
    };
    const first = (await read("key", "rotate")) as { kid: string };
    expect(first).toMatchObject({
      kid: expect.any(String),
      alg: "ES256",
      made: true,
      signs_from: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    // Twice makes one key: the second call tells of the first one's.
    expect(await read("key", "rotate")).toEqual({ ...first, made: false });
    expect((await service.command(["key", "rotate"])).stdout).toMatch(
      /^a new key is published already; it signs in 1[45] minutes\n$/,
    );
    const { stdout: keys } = await service.command(["key", "list"]);
    expect(keys.split("\n")).toHaveLength(4);
    const [time] = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/.exec(keys) ?? [];
    expect(await service.command(["audit", "list", "--since", time ?? "none"])).toMatchObject({ code: 0 });
    expect(await read("key", "drop", first.kid)).toEqual({ dropped: first.kid });
    await read("client", "create", "billing", "--grant", "client_credentials");
    expect(await read("client", "delete", "billing")).toMatchObject({ client_id: "billing", done: true });
    expect(await read("session", "revoke", user.username, "--all")).toEqual({
      user_id: user.id,
      revoked: "all",
    });
  }, 120_000);
});
