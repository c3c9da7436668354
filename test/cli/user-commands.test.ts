import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { api } from "../_harness/api.ts";
import { deleteUsers, insertUsersWithHash } from "../_harness/rows/users.ts";
import { mainFile, startService, testSecretKey, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

const password = "an unusual password";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

async function login(username: string, secret: string): Promise<number> {
  return (await api(service).rest.login({ username, password: secret })).status;
}

describe("user create", () => {
  test("makes a user that can sign in by name and by address, with the password of standard input", async () => {
    const args = [
      "user",
      "create",
      "anna",
      "--email",
      "Anna@example.org",
      "--role",
      "auditor",
      "--role",
      "admin",
    ];
    const { code, stdout, stderr } = await service.command(args, `${password}\n`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^created anna \(usr_[a-z0-9]{26}\)\n$/);
    expect(await login("anna", password)).toBe(200);
    expect(await login("anna@example.org", password)).toBe(200);
    expect(await login("anna", `${password}\n`)).toBe(401);
  });

  test("prints what REST shows, with --json, and a generated password once", async () => {
    const args = ["user", "create", "bert", "--status", "pending", "--generate-password", "--json"];
    const { code, stdout } = await service.command(args);
    expect(code).toBe(0);
    const user = JSON.parse(stdout) as Record<string, unknown>;
    expect(user).toEqual({
      id: expect.stringMatching(/^usr_/),
      username: "bert",
      email: null,
      status: "pending",
      roles: [],
      display_name: null,
      locale: null,
      claims: null,
      has_password: true,
      must_change_password: false,
      created_at: expect.stringMatching(/Z$/),
      last_login_at: null,
      etag: expect.any(String),
      password: expect.stringMatching(/^[A-Za-z0-9]{24}$/),
    });
    expect(await login("bert", String(user["password"]))).toBe(403);
  });

  test.each([
    ["a name that is taken", ["ANNA"], password, "A user with this username exists already."],
    [
      "an address that is taken",
      ["x1", "--email", "anna@EXAMPLE.org"],
      password,
      "A user with this e-mail address exists already.",
    ],
    ["a short password", ["x2"], "short", "The password must be at least 8 characters long."],
    ["a common password", ["x3"], "password123", "The password is too common."],
    ["a name with an at sign", ["x\uff20y"], password, "The username must not hold an at sign."],
    [
      "a role that is none",
      ["x4", "--role", "editor"],
      password,
      "The roles must name roles that there are.",
    ],
    ["another status", ["x5", "--status", "asleep"], password, "The status must be active or pending."],
  ])("refuses %s with exit code 1", async (_what, args, input, sentence) => {
    const { code, stdout, stderr } = await service.command(["user", "create", ...args], input);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(new RegExp(`^${sentence}\\n$`));
  });

  test.each([
    ["nothing", "", "No password came by standard input; --generate-password makes one."],
    ["far too much", "x".repeat(70_000), "Standard input holds far more than a password."],
  ])("takes %s on standard input for wrong usage", async (_what, input, sentence) => {
    const { code, stderr } = await service.command(["user", "create", "carl"], input);
    expect(code).toBe(2);
    expect(stderr.split("\n")[0]).toBe(sentence);
  });
});

describe("user set-password, suspend and reactivate", () => {
  test("take effect at once, and tell of a user that is not there", async () => {
    await service.command(["user", "create", "dora"], password);
    expect(await login("dora", password)).toBe(200);
    const changed = await service.command(["user", "set-password", "dora"], "another unusual one");
    expect(changed).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^set the password of dora \(usr_/),
    });
    expect(await login("dora", password)).toBe(401);
    expect(await login("dora", "another unusual one")).toBe(200);
    const suspended = await service.command(["user", "suspend", "DORA"]);
    expect(suspended).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^suspended dora \(usr_\w+\)\n$/),
    });
    expect(await login("dora", "another unusual one")).toBe(403);
    const json = await service.command(["user", "reactivate", "dora", "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({ username: "dora", status: "active" });
    const nobody = await service.command(["user", "reactivate", "nobody"]);
    expect(nobody).toEqual({ code: 1, stdout: "", stderr: "There is no such user.\n" });
  });
});

describe("user list", () => {
  test("is a table whose columns are aligned", async () => {
    const { code, stdout } = await service.command(["user", "list"]);
    expect(code).toBe(0);
    const [titles = "", ...rows] = stdout.trimEnd().split("\n");
    expect(titles).toMatch(/^NAME +STATUS +ROLES +LAST LOGIN$/);
    const timeColumn = titles.indexOf("LAST LOGIN");
    expect(rows.length).toBeGreaterThanOrEqual(4);
    for (const row of rows) expect(row.slice(timeColumn)).toMatch(/^(?:never|\d{4}-\S+Z)$/);
    expect(rows.find((row) => row.startsWith("anna "))).toMatch(
      /^anna +active +auditor,admin +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
    );
    expect(rows.find((row) => row.startsWith("bert "))).toMatch(/^bert +pending +- +never$/);
  });

  test("is an object a line with --json, without anything secret", async () => {
    const { code, stdout } = await service.command(["user", "list", "--json"]);
    expect(code).toBe(0);
    const users = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(users.map(({ username }) => username)).toEqual(
      expect.arrayContaining(["admin", "anna", "bert", "dora"]),
    );
    for (const user of users) {
      expect(Object.keys(user)).toEqual([
        "id",
        "username",
        "email",
        "status",
        "roles",
        "display_name",
        "locale",
        "claims",
        "has_password",
        "must_change_password",
        "created_at",
        "last_login_at",
        "etag",
      ]);
    }
  });

  test("ends quietly when nobody reads on", async () => {
    const client = await openSql(service.databaseUrl);
    const names = Array.from({ length: 5000 }, (_, nth) => `many${nth + 1}`);
    await insertUsersWithHash(client, names, "x");
    try {
      const env = {
        PATH: process.env["PATH"],
        DATABASE_URL: service.databaseUrl,
        ISSUER: "http://localhost",
        SECRET_KEY: testSecretKey,
      };
      const script = `set -o pipefail; "$0" "$1" user list --json | head -1; echo "codes \${PIPESTATUS[*]}"`;
      const shell = spawn("bash", ["--norc", "-c", script, process.execPath, mainFile], {
        env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      let output = "";
      shell.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
      shell.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
      await once(shell, "close");
      expect(output).toMatch(/^Database: test_\w+ at 127\.0\.0\.1:\d+\n\{"id":"usr_.*\}\ncodes 0 0\n$/);
    } finally {
      await deleteUsers(client, "many%");
      await client.end();
    }
  });
});

describe("migrate", () => {
  test("finds the schema up to date beside a running service", async () => {
    expect(await service.command(["migrate"])).toEqual({
      code: 0,
      stdout: "The schema is up to date.\n",
      stderr: "",
    });
    expect((await service.command(["migrate", "--json"])).stdout).toBe('{"applied":[]}\n');
  });
});
