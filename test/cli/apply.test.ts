import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { configFileSchema } from "../../src/cli/applying/write-file.ts";
import { parseConfigFile } from "../../src/cli/applying/read-file.ts";
import { call } from "../_harness/call-command.ts";
import * as given from "../_harness/given.ts";
import { type CommandResult, root, startService, type TestService } from "../_harness/service.ts";

jest.setTimeout(120_000);

let service: TestService;
let folder: string;
let target: string[];
beforeAll(async () => {
  service = await startService();
  folder = await mkdtemp(join(tmpdir(), "countersign-test-apply-"));
  process.env["XDG_CONFIG_HOME"] = folder;
  delete process.env["DATABASE_URL"];
  target = await actingAs(service.admin);
  await given.user(service, { username: "ann", roles: ["auditor"] });
  await given.user(service, { username: "ben", email: "ben@example.org" });
}, 60_000);
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true });
});

async function actingAs(user: given.TestUser): Promise<string[]> {
  const { access_token } = await given.session(service, { user });
  const path = join(folder, `token-${user.username}`);
  await writeFile(path, access_token);
  return ["--server", service.url, "--token-file", path];
}

async function apply(text: string, ...options: string[]): Promise<CommandResult> {
  const path = join(folder, "countersign.yaml");
  await writeFile(path, text);
  const acting = options.includes("--server") ? [] : target;
  return call("apply", "-f", path, ...options, ...acting);
}

async function exported(): Promise<string> {
  const { code, stdout } = await call("export-config", ...target);
  expect(code).toBe(0);
  return stdout;
}

/** What is said beside which server it is. */
const said = ({ stderr }: CommandResult): string => stderr.split("\n").slice(1).join("\n").trimEnd();

const wanted = `version: 1
users:
  - username: Ann
    roles: [desk, auditor]
  - email: ben@example.org
    roles: [desk]
  - username: admin
    roles: [admin]
clients:
  - id: shop
    grants: [refresh_token, password]
    first_party: true
    scopes: [orders]
    access_token_ttl_seconds: 300
roles:
  - name: desk
    description: The help desk.
    permissions: [users.read, "shop:refund"]
`;

describe("a file", () => {
  test("is applied once: the plan is shown, what differs is changed, and the second time nothing is", async () => {
    const dry = await apply(wanted, "--dry-run");
    expect(dry.code).toBe(3);
    expect(dry.stdout).toBe(
      [
        "+ role desk",
        "    description: The help desk.",
        "    permissions: shop:refund users.read",
        "+ client shop",
        "    first_party: true",
        "    grants: password refresh_token",
        "    scopes: orders",
        "    access_token_ttl_seconds: 300",
        "~ user Ann",
        "    roles: +desk",
        "~ user ben@example.org",
        "    roles: +desk",
        "",
      ].join("\n"),
    );
    expect(await exported()).not.toContain("desk");

    const unasked = await apply(wanted);
    expect({ code: unasked.code, said: said(unasked) }).toMatchObject({
      code: 2,
      said: expect.stringContaining("add --yes"),
    });
    const done = await apply(wanted, "--yes");
    expect(done.code).toBe(0);
    expect(done.stdout).toMatch(/^client shop: client_secret: cs\S+$/m);
    expect(said(done)).toBe("4 of 4 changes were made.");

    const again = await apply(wanted, "--yes");
    expect({ ...again, stderr: said(again) }).toEqual({ code: 0, stdout: "", stderr: "Nothing differs." });
  });

  test("that was exported changes nothing, and a change by hand shows as drift", async () => {
    const file = await exported();
    expect(file).toMatch(/^# yaml-language-server: \$schema=/);
    expect(await apply(file, "--dry-run")).toMatchObject({ code: 0, stdout: "" });
    await call("role", "update", "desk", "--description", "By hand.", ...target);
    await call("user", "set-roles", "ben", "support", ...target);
    expect(await apply(file, "--dry-run", "--json")).toMatchObject({
      code: 3,
      stdout: [
        {
          action: "update",
          kind: "role",
          name: "desk",
          changes: [{ field: "description", from: "By hand.", to: "The help desk." }],
        },
        {
          action: "update",
          kind: "user",
          name: "ben",
          changes: [{ field: "roles", from: ["support"], to: ["desk"] }],
        },
      ]
        .map((line) => `${JSON.stringify(line)}\n`)
        .join(""),
    });
    expect((await apply(file, "--yes")).code).toBe(0);
    expect((await apply(file, "--dry-run")).code).toBe(0);
  });

  test("takes away what it leaves out only where --prune names it", async () => {
    const file = "version: 1\nroles:\nclients: []\nusers:\n  - {username: admin, roles: [admin]}\n";
    const shown = await apply(file, "--yes");
    expect(shown).toMatchObject({
      code: 0,
      stdout: [
        "! role desk is not in the file: --prune role/desk deletes it",
        "! client shop is not in the file: --prune client/shop deletes it, and ends the sessions that it began",
        "! user ann is not in the file: --prune user/ann takes all roles",
        "! user ben is not in the file: --prune user/ben takes all roles",
        "",
      ].join("\n"),
    });
    expect((await apply(file, "--dry-run")).code).toBe(3);
    const names = ["role/desk", "client/shop", "user/ann", "user/ben"].flatMap((name) => ["--prune", name]);
    expect(said(await apply(file, "--yes", ...names))).toBe("4 of 4 changes were made.");
    expect((await apply(file, "--dry-run")).code).toBe(0);
    expect(said(await apply(file, "--yes", "--prune", "role/desk"))).toBe(
      "There is no role/desk that the file's sections leave out.",
    );
    // What has no section is not looked at.
    expect(await apply("version: 1\n", "--dry-run")).toMatchObject({ code: 0, stdout: "" });
  });
});

describe("nobody is locked out:", () => {
  test("not oneself, and not the last admin", async () => {
    const self = "version: 1\nusers:\n  - {username: admin, roles: [auditor]}\n";
    expect(await apply(self, "--yes")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("This would leave no admin who can sign in. Nothing was done.\n"),
    });
    const deputy = await given.user(service, { username: "deputy", roles: ["admin"] });
    const other = await actingAs(deputy);
    expect(await apply(self, "--yes")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/This would take .*roles\.write.* from you/),
    });
    const pruned = await apply("version: 1\nusers:\n", "--yes", "--prune", "user/deputy", ...other);
    expect(pruned).toMatchObject({ code: 1, stderr: expect.stringMatching(/This would take .* from you/) });
  });

  test("not by the role that one has", async () => {
    const role = ["--permission", "roles.read", "--permission", "roles.write", "--permission", "users.read"];
    await call("role", "create", "ruler", ...role, ...target);
    const ruler = await actingAs(await given.user(service, { username: "ruler", roles: ["ruler"] }));
    const lesser = "version: 1\nroles:\n  - {name: ruler, permissions: [roles.read, roles.write]}\n";
    expect(await apply(lesser, "--yes", ...ruler)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("This would take users.read from you. Nothing was done.\n"),
    });
    // Somebody else may.
    expect((await apply(lesser, "--yes")).code).toBe(0);
  });

  test("and a plan that could not be made whole is not begun", async () => {
    const cases: readonly (readonly [string, string])[] = [
      [
        "users:\n  - {username: ann, roles: [nothing]}",
        "User ann is to have nothing, and there is no such role.",
      ],
      ["users:\n  - {username: nobody, roles: [admin]}", "User nobody is not there: users are created by"],
      ["roles:\n  - {name: support}", "Role support is built in, and cannot be changed."],
      [
        "users:\n  - {username: ben, roles: []}\n  - {email: ben@example.org, roles: []}",
        "User ben@example.org is in the file under another name, too.",
      ],
    ];
    for (const [sections, sentence] of cases) {
      const file = `version: 1\n${sections}\n`;
      const { code, stdout, stderr } = await apply(file, "--yes");
      expect({ code, stdout, stderr }).toEqual({
        code: 1,
        stdout: "",
        stderr: expect.stringContaining(sentence),
      });
    }
  });
});

describe("a file that is wrong", () => {
  test.each([
    ["", 'f.yaml:1: it must hold "version: 1", and sections'],
    ["roles: []", 'f.yaml:1: "version: 1" is missing'],
    ["version: 2", "f.yaml:1: the version must be 1"],
    ["version: 1\nroels: []", "f.yaml:2: there is no field roels; roles is meant"],
    ["version: 1\nroles: {}", "f.yaml:2: roles must be a list"],
    ["version: 1\nroles:\n  - desk", "f.yaml:3: each of roles must have fields"],
    ["version: 1\nroles:\n  - description: x", "f.yaml:3: role must have name"],
    ["version: 1\nroles:\n  - {name: a}\n  - {name: a}", "f.yaml:4: role a is there twice"],
    ["version: 1\nroles:\n  - {name: 1}", "f.yaml:3: name must be a text: put it in quotes"],
    ["version: 1\nroles:\n  - name: a\n    scopes: orders", "f.yaml:4: scopes must be a list of texts"],
    ["version: 1\nusers:\n  - {username: a}", "f.yaml:3: user must have roles"],
    [
      "version: 1\nusers:\n  - {username: a, email: b, roles: []}",
      "f.yaml:3: user must have one of username, email, id",
    ],
    [
      "version: 1\nclients:\n  - {id: a, grants: [], public: 'yes'}",
      "f.yaml:3: public must be true or false",
    ],
    ["version: 1\nroles:\n  - {name: a, name: b}", "f.yaml:3: Map keys must be unique"],
    ["version: 1\nroles: *gone", "f.yaml:2: aliases are not read: write out what they stand for"],
    ["version: 1\nroles: [", "f.yaml:2: "],
    ["version: 1\n__proto__: []", "f.yaml:2: there is no field __proto__"],
  ])("is refused, with the line: %j", (text, problem) => {
    expect(() => parseConfigFile(text, "f.yaml")).toThrow(problem);
  });

  test("is refused in little time and memory, however its aliases multiply", () => {
    const levels = Array.from(
      { length: 30 },
      (_, index) => `a${index + 1}: &a${index + 1} [*a${index}, *a${index}]`,
    );
    const bomb = `version: 1\na0: &a0 [x]\n${levels.join("\n")}\nroles: *a30\n`;
    const begun = performance.now();
    expect(() => parseConfigFile(bomb, "f.yaml")).toThrow("aliases are not read");
    expect(performance.now() - begun).toBeLessThan(2_000);
  });
});

test("the schema for editors is fresh, and accepts what is exported", async () => {
  const schema = join(root, "docs/countersign.schema.json");
  expect(JSON.parse(await readFile(schema, "utf8"))).toEqual(configFileSchema());
  expect(JSON.parse((await call("export-config", "--schema")).stdout)).toEqual(configFileSchema());
  const check = `import json, sys
try: import jsonschema
except ImportError: sys.exit(0)
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
errors = lambda text: list(jsonschema.Draft202012Validator(schema).iter_errors(json.loads(text)))
assert not errors(sys.argv[2]), errors(sys.argv[2])
for text in sys.argv[3:]: assert errors(text), text`;
  const { parse } = await import("yaml");
  const wrong = [
    {},
    { version: 2 },
    { version: 1, roels: [] },
    { version: 1, users: [{ username: "a", email: "b", roles: [] }] },
  ];
  const texts = [parse(wanted) as unknown, ...wrong].map((each) => JSON.stringify(each));
  const run = promisify(execFile)("python3", ["-c", check, schema, ...texts]);
  expect((await run).stderr).toBe("");
});
