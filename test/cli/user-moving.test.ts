import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { sendForm } from "../_harness/rest.ts";
import { runCommand, startService, testSecretKey, type TestService } from "../_harness/service.ts";
import { createSharedDatabase } from "../_harness/shared-stores.ts";
import { openSql } from "../_harness/sql.ts";

// its own SQL: it looks at what an import has written, column by column.
/** Of `correct horse`. */
const bcrypt = "$2y$04$cTD3D5HfyAtuNElYwWDfsu0F.8wnRLhXyJOtKyY0rV3i39ifErK.u";
const password = "correct horse";

let service: TestService;
let sql: Client;
let folder: string;
beforeAll(async () => {
  service = await startService();
  sql = await openSql(service.databaseUrl);
  folder = await mkdtemp(join(tmpdir(), "countersign-moving-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await sql.end();
  await service.stop();
});

let files = 0;

async function write(text: string): Promise<string> {
  files += 1;
  const path = join(folder, `file-${files}`);
  await writeFile(path, text);
  return path;
}

const toLines = (records: readonly object[]): string =>
  records.map((each) => `${JSON.stringify(each)}\n`).join("");

async function importFile(text: string, ...args: readonly string[]) {
  return service.command(["user", "import", await write(text), ...args]);
}

async function logIn(username: string, secret = password): Promise<{ status: number; sub: string }> {
  const { status, json } = await sendForm(`${service.url}/auth/login`, { username, password: secret });
  const token = typeof json["access_token"] === "string" ? json["access_token"] : "..";
  const claims = Buffer.from(token.split(".")[1] ?? "", "base64url").toString();
  return { status, sub: claims === "" ? "" : (JSON.parse(claims) as { sub: string }).sub };
}

/** All columns of all users, but for the counter of what ends sessions: those do not move. */
async function readRows(of: Client): Promise<readonly Record<string, unknown>[]> {
  const { rows } = await of.query<Record<string, unknown>>('select * from users order by id collate "C"');
  return rows.map(({ session_epoch: _epoch, ...row }) => row);
}

async function countImported(): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(
    "select count(*)::int as count from audit_events where type = 'user.created' and reason = 'imported'",
  );
  return rows[0]?.count ?? 0;
}

describe("user import", () => {
  test("brings a user in with id, roles, times and password, and leaves one who is there as they are", async () => {
    const anna = {
      id: "6F1C2F6E-6f5b-4c4a-9d3e-2b8f0c1d2e3f",
      username: "anna",
      email: "anna@example.org",
      roles: ["editor"],
      created_at: "2021-02-03T04:05:06.789Z",
      last_login_at: "2022-02-03T04:05:06Z",
      password_hash: bcrypt,
    };
    const bert = { username: "bert", status: "suspended", password_hash: bcrypt };
    const before = await countImported();
    const first = await importFile(toLines([anna, bert]));
    expect(first).toEqual({ code: 0, stdout: "2 created, 0 there already, 0 refused\n", stderr: "" });
    expect(await logIn("anna@EXAMPLE.org")).toEqual({ status: 200, sub: anna.id });
    expect(await logIn("bert")).toMatchObject({ status: 403 });
    const { rows } = await sql.query("select roles, created_at, last_login_at from users where id = $1", [
      anna.id,
    ]);
    expect(rows).toMatchObject([{ roles: ["editor"], created_at: new Date(anna.created_at) }]);

    const again = await importFile(toLines([{ ...anna, roles: ["admin"] }, bert]));
    expect(again).toEqual({ code: 0, stdout: "0 created, 2 there already, 0 refused\n", stderr: "" });
    expect((await sql.query("select roles from users where id = $1", [anna.id])).rows).toEqual([
      { roles: ["editor"] },
    ]);
    expect(await countImported()).toBe(before + 2);
  });

  test("refuses what it cannot take, a line for each, and takes the rest", async () => {
    await service.command(["client", "create", "taken-by-client", "--public", "--grant", "refresh_token"]);
    const id = "0b8f7a52-3a3c-4d0f-8f59-5c8a1c1d2e3f";
    const records = [
      { id, username: "carl", email: "carl@example.org", created_at: "2020-01-01T00:00:00Z" },
      { id, username: "someone-else" },
      { username: "CARL" },
      { username: "carla", email: "Carl@Example.org" },
      { id: "taken-by-client", username: "dora" },
      { id: "no id", username: "dora" },
      { username: "d@ra", email: "dora@example.org" },
      { username: "dora", status: "gone" },
      { username: "dora", roles: ["two words"] },
      { username: "dora", created_at: "2999-01-01T00:00:00Z" },
      { username: "dora", password_hash: "$2y$31$cTD3D5HfyAtuNElYwWDfsu0F.8wnRLhXyJOtKyY0rV3i39ifErK.u" },
      { username: "dora", password_hash: bcrypt, password_pepper_id: "deadbeef" },
      { username: "dora", display_name: "half of a character: \ud83d" },
      { username: "dora", locale: `de${"-12345678".repeat(4)}` },
      { username: "dora", claims: { sub: "somebody-else" } },
      { username: "dora", claims: { plan: "x".repeat(1_024) } },
      { username: "dora", claims: { plan: "\0" } },
      {},
      { username: "dora" },
    ];
    const deep = `{"username":"dora","claims":{"plan":${"[".repeat(20_000)}${"]".repeat(20_000)}}}`;
    const { code, stdout } = await importFile(`${toLines(records)}not json\n${deep}\n`, "--json");
    expect(code).toBe(1);
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);

    expect(lines.map(({ line, field, code: found }) => [line, field, found]).slice(0, -1)).toEqual([
      [2, "id", "already_exists"],
      [3, "username", "already_exists"],
      [4, "email", "already_exists"],
      [5, "id", "already_exists"],
      [6, "id", "bad_form"],
      [7, "username", "bad_characters"],
      [8, "status", "bad_form"],
      [9, "roles", "bad_form"],
      [10, "created_at", "out_of_range"],
      [11, "password_hash", "invalid"],
      [12, "password_pepper_id", "unknown"],
      [13, "display_name", "bad_form"],
      [14, "locale", "bad_form"],
      [15, "claims", "not_allowed"],
      [16, "claims", "too_long"],
      [17, "claims", "bad_form"],
      [18, "username", "required"],
      [20, "", "malformed"],
      [21, "claims", "too_long"],
    ]);
    expect(lines.at(-1)).toEqual({ created: 2, existing: 0, refused: 19 });
    expect(stdout).not.toContain("$2y$");
    const shown = await importFile(toLines([{ username: "d@ra", email: "dora@example.org" }]));
    expect(shown.stderr).toBe("line 1: username must not hold an at sign (bad_characters)\n");
  });

  test("and no client can take the id of a user", async () => {
    await importFile(toLines([{ id: "an-app", username: "app-user" }]));
    const created = await service.command([
      "client",
      "create",
      "an-app",
      "--public",
      "--grant",
      "refresh_token",
    ]);
    expect({ code: created.code, stderr: created.stderr }).toEqual({
      code: 1,
      stderr: "A user has this id.\n",
    });
  });

  test("keeps nothing in a dry run, and says what a run would do", async () => {
    const records = toLines([{ username: "emil" }, { username: "ANNA" }]);
    const before = await countImported();
    const { code, stdout } = await importFile(records, "--dry-run");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "1 would be created, 0 there already, 1 refused\n" });
    expect((await sql.query("select from users where username = 'emil'")).rowCount).toBe(0);
    expect(await countImported()).toBe(before);
  });

  test("gives nobody a password who has none", async () => {
    await importFile(toLines([{ username: "frida" }]));
    expect((await logIn("frida", "")).status).toBe(422);
    expect((await logIn("frida")).status).toBe(401);
    await importFile(toLines([{ username: "fritz", password_hash: bcrypt }]), "--without-passwords");
    expect((await logIn("fritz")).status).toBe(401);
  });

  test.each([
    [["--format", "xml"], 2, "--format must be one of ndjson, csv, keycloak, supabase, auth0, firebase."],
    [["--format", "firebase"], 2, "--format firebase needs --hash-config FILE, or --without-passwords."],
    [["--format", "keycloak"], 1, 'The file holds no list of users, neither by itself nor as "users".'],
    [["--format", "auth0", "--hashes", "/nowhere"], 1, "/nowhere cannot be read: ENOENT."],
  ])("says what is wrong with %j", async (args, code, sentence) => {
    const found = await importFile("{}", ...args);
    expect(found.code).toBe(code);
    expect(found.stderr).toContain(sentence);
  });

  test("says so where the file is missing, or is no text", async () => {
    const missing = await service.command(["user", "import", join(folder, "nowhere")]);
    expect(missing.stderr).toContain("nowhere cannot be read: ENOENT.");
    const path = join(folder, "bytes");
    await writeFile(path, Buffer.from([0xff, 0xfe, 0x0a]));
    expect((await service.command(["user", "import", path])).stderr).toContain("is not UTF-8 text.");
  });

  test("reads standard input", async () => {
    const { stdout } = await service.command(["user", "import", "-"], toLines([{ username: "gustav" }]));
    expect(stdout).toBe("1 created, 0 there already, 0 refused\n");
  });
});

test("users with an address alone have no username, are there the second time, and are listed", async () => {
  const addresses = ["ida@example.org", "ilse@example.org"];
  const records = addresses.map((email) => ({ email, password_hash: bcrypt }));
  await importFile(toLines(records));
  expect((await importFile(toLines(records))).stdout).toBe("0 created, 2 there already, 0 refused\n");
  const other = await importFile(
    toLines([{ id: "another-ida", email: "ida@example.org" }, { email: "i@i.org" }]),
  );
  expect(other.stderr).toBe("line 1: email is another user's (already_exists)\n");
  const { rows } = await sql.query("select username from users where email = any($1)", [addresses]);
  expect(rows).toEqual([{ username: null }, { username: null }]);
  const { stdout } = await service.command(["user", "list", "--json"]);
  expect(stdout.split("\n").filter((line) => addresses.some((email) => line.includes(email)))).toHaveLength(
    2,
  );
  expect(stdout.trimEnd().split("\n")).toHaveLength((await sql.query("select from users")).rowCount ?? 0);
});

test("a user with an id from elsewhere is found in the audit trail by it, and by the address", async () => {
  const id = "auth0|5dea9f9c82dd7c0e76e4ec93";
  await importFile(toLines([{ id, email: "gerda@example.org", password_hash: bcrypt }]));
  expect(await logIn("gerda@example.org")).toEqual({ status: 200, sub: id });
  for (const name of [id, "gerda@example.org"]) {
    const trail = await service.command(["audit", "list", "--json", "--user", name]);
    expect(trail.stdout).toContain("login.succeeded");
  }
});

describe("user export", () => {
  test("writes everything, and another service takes it: everybody signs in there", async () => {
    await importFile(toLines([{ username: "heidi", password_hash: bcrypt }]));
    const exported = await service.command(["user", "export"]);
    expect(exported.code).toBe(0);
    expect(exported.stderr).toMatch(/^wrote \d+ users, with their password hashes\n$/);
    const other = await startService({ env: { BOOTSTRAP_USERNAME: "somebody-else" } });
    try {
      const path = await write(exported.stdout);
      const imported = await other.command(["user", "import", path]);
      expect(imported.stdout).toMatch(/^\d+ created, 0 there already, 0 refused\n$/);
      for (const [username, secret] of [
        ["heidi", password],
        [service.admin.username, service.admin.password],
      ] as const) {
        expect((await sendForm(`${other.url}/auth/login`, { username, password: secret })).status).toBe(200);
      }
      const lines = new Set((await other.command(["user", "export"])).stdout.split("\n"));
      const lost = exported.stdout.split("\n").filter((line) => !lines.has(line));
      // Those of heidi and the first user, who have signed in meanwhile.
      expect(lost.length).toBeLessThanOrEqual(2);
    } finally {
      await other.stop();
    }
  });

  test("into an empty database makes the same rows", async () => {
    const full = {
      username: "jana",
      email: "Jana@Example.org",
      display_name: "Jana \u{1f600} J.",
      locale: "pt-BR",
      status: "pending",
      roles: ["reader", "editor"],
      claims: { plan: "gold", limits: { seats: 3, list: [1.5, null, "é"] } },
      must_change_password: true,
      created_at: "2021-02-03T04:05:06.789Z",
      last_login_at: "2022-02-03T04:05:06Z",
      password_hash: bcrypt,
    };
    await importFile(
      toLines([full, { email: "jo@example.org" }, { username: "jule", must_change_password: true }]),
    );
    const database = await createSharedDatabase();
    const env = {
      PATH: process.env["PATH"] ?? "",
      DATABASE_URL: database.url,
      SECRET_KEY: testSecretKey,
      ISSUER: service.url,
    };
    const copy = await openSql(database.url);
    try {
      const path = await write((await service.command(["user", "export"])).stdout);
      expect((await runCommand(["migrate"], env)).code).toBe(0);
      expect((await runCommand(["user", "import", path], env)).stderr).toBe("");
      const [here, there] = await Promise.all([readRows(sql), readRows(copy)]);
      expect(there).toEqual(here);
      expect(here.find(({ username }) => username === "jana")).toMatchObject({
        display_name: full.display_name,
        locale: full.locale,
        claims: full.claims,
        must_change_password: true,
        password_hash: bcrypt,
      });
      expect(here.find(({ email }) => email === "jo@example.org")).toMatchObject({
        username: null,
        username_folded: null,
        password_hash: "",
        password_pepper_id: null,
      });
    } finally {
      await copy.end();
      await database.drop();
    }
  });

  test("makes a file that its owner alone can read, and writes over none", async () => {
    const path = join(folder, "export");
    expect(await service.command(["user", "export", "--out", path])).toMatchObject({ code: 0, stdout: "" });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const text = await readFile(path, "utf8");
    expect(text.split("\n").length - 1).toBe((await sql.query("select from users")).rowCount);
    const again = await service.command(["user", "export", "--out", path]);
    expect({ code: again.code, stderr: again.stderr }).toEqual({
      code: 1,
      stderr: `${path} cannot be made: EEXIST.\n`,
    });
    expect(await readFile(path, "utf8")).toBe(text);
    const trail = await service.command(["audit", "list", "--json", "--type", "users.exported"]);
    expect(trail.stdout.trimEnd().split("\n").length).toBeGreaterThanOrEqual(2);
  });
});
