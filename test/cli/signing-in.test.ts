import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { type Context, openContexts } from "../../src/cli/calling/contexts.ts";
import { api } from "../_harness/api.ts";
import { call } from "../_harness/call-command.ts";
import * as given from "../_harness/given.ts";
import { root, runWholeCommand, startService, type TestService } from "../_harness/service.ts";

jest.setTimeout(120_000);

let service: TestService;
let home: string;
let support: given.TestUser & { readonly id: string };
beforeAll(async () => {
  service = await startService();
  support = await given.user(service, { username: "sam", roles: ["support"] });
  const passwordFile = await mkdtemp(join(tmpdir(), "countersign-test-password-"));
  passwordPath = join(passwordFile, "password");
  await writeFile(passwordPath, `${support.password}\n`);
}, 60_000);
let passwordPath = "";
afterAll(async () => {
  await service.stop();
  await rm(join(passwordPath, ".."), { recursive: true });
  await rm(home, { recursive: true, force: true });
});

/** Another person's machine: nothing in the environment, and an empty home. */
beforeEach(async () => {
  // A command of this process that has failed may still be giving back its lock.
  if (home !== undefined) await rm(home, { recursive: true, force: true, maxRetries: 5 });
  home = await mkdtemp(join(tmpdir(), "countersign-test-home-"));
  process.env["XDG_CONFIG_HOME"] = home;
  delete process.env["DATABASE_URL"];
});

const contextFile = (name = "127.0.0.1"): string => join(home, "countersign", "contexts", `${name}.json`);

const signIn = (...options: string[]) =>
  call("login", "--server", service.url, "--username", "sam", "--password-file", passwordPath, ...options);

async function readContext(name?: string): Promise<Context> {
  return JSON.parse(await readFile(contextFile(name), "utf8")) as Context;
}

async function changeContext(changes: Partial<Context>): Promise<void> {
  await writeFile(contextFile(), JSON.stringify({ ...(await readContext()), ...changes }));
}

const refreshes = (): number =>
  service.logs().filter(({ rpc }) => String(rpc).endsWith("AuthService/Refresh")).length;

test("from another machine, with an address and a token alone, a support user suspends somebody and makes no admin", async () => {
  const bob = await given.user(service, { username: "bob" });
  const { access_token } = await given.session(service, { user: support });
  const folder = await mkdtemp(join(tmpdir(), "countersign-test-folder-"));
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder };
  await writeFile(join(folder, "token"), access_token);
  const options = ["--server", service.url, "--token-file", "token"];
  const elsewhere = (...args: string[]) => runWholeCommand([...args, ...options], env, "", folder);
  try {
    expect(await elsewhere("user", "suspend", "bob")).toEqual({
      code: 0,
      stdout: `suspended bob (${bob.id})\n`,
      stderr: `Server: ${service.url}, with the token of token\n`,
    });
    expect((await api(service).rest.login(bob)).status).toBe(403);
    const refusals = [
      [["user", "set-roles", "sam", "admin"], "The caller lacks the permission that this operation needs."],
      [["user", "set-roles", "bob", "admin"], "The caller lacks the permission that this operation needs."],
      [
        ["user", "create", "eve", "--role", "admin", "--generate-password"],
        "The caller lacks the permission that this operation needs.",
      ],
      [["user", "suspend", "admin"], "This has a permission that the caller lacks."],
    ] as const;
    for (const [args, sentence] of refusals) {
      const { code, stdout, stderr } = await elsewhere(...args);
      expect({ code, stdout, stderr: stderr.split("\n")[1] }).toEqual({
        code: 1,
        stdout: "",
        stderr: sentence,
      });
    }
    expect(await readdir(folder)).toEqual(["token"]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe("login", () => {
  test("keeps the tokens where their owner alone may read them, and commands act as who signed in", async () => {
    expect(await signIn()).toEqual({
      code: 0,
      stdout: `signed in as sam: commands act on ${service.url} (context 127.0.0.1)\n`,
      stderr: `Server: ${service.url}\n`,
    });
    expect((await stat(contextFile())).mode & 0o777).toBe(0o600);
    expect((await stat(join(contextFile(), ".."))).mode & 0o777).toBe(0o700);
    const { stdout, stderr } = await call("whoami", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ id: support.id, roles: ["support"] });
    expect(stderr).toBe(`Server: ${service.url}, as sam (context 127.0.0.1)\n`);
    expect((await call("user", "get", "sam")).stdout).toMatch(/^username +sam$/m);
  });

  test("keeps several under names, of which one is current", async () => {
    await signIn("--context", "one");
    await signIn("--context", "two");
    const listed = async () =>
      (await call("context", "list")).stdout.split("\n").map((line) => line.split(/ {2,}/));
    expect(await listed()).toEqual([
      ["CURRENT", "NAME", "USER", "SERVER"],
      ["", "one", "sam", service.url],
      ["*", "two", "sam", service.url],
      [""],
    ]);
    await call("context", "use", "one");
    expect((await call("whoami")).stderr).toContain("(context one)");
    expect((await call("whoami", "--context", "two")).stderr).toContain("(context two)");
    expect((await call("whoami", "--server", service.url)).stderr).toContain("(context one)");
    expect((await call("context", "remove", "one")).code).toBe(0);
    // Nothing is current any more: the next command would act on the stores.
    expect((await call("whoami", "--server", service.url)).stderr).toContain("(context two)");
    expect(await call("whoami", "--context", "one")).toMatchObject({
      code: 1,
      stderr: 'There is no context one: "countersign context list" shows those there are.\n',
    });
  });

  test("tells of a wrong password in the service's words, and keeps nothing", async () => {
    const wrong = join(home, "wrong");
    await writeFile(wrong, "not the password");
    const { code, stderr } = await signIn("--password-file", wrong);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Server: .*\nThe username or the password is wrong\.\n$/);
    expect(await readdir(home)).toEqual(["wrong"]);
  });

  test("of a client needs its secret, and lasts as long as its token", async () => {
    const options = ["--grant", "client_credentials", "--scope", "countersign.support", "--json"];
    const created = await service.command(["client", "create", "robot", ...options]);
    const { client_secret: secret } = JSON.parse(created.stdout) as { client_secret: string };
    await writeFile(join(home, "secret"), secret);
    const args = [
      "--client",
      "robot",
      "--scope",
      "countersign.support",
      "--password-file",
      join(home, "secret"),
    ];
    expect((await call("login", "--server", service.url, ...args)).code).toBe(0);
    expect(JSON.parse((await call("whoami", "--json")).stdout)).toEqual({ client_id: "robot" });
    expect((await call("user", "get", "sam")).code).toBe(0);
    await changeContext({ expiresAt: 0 });
    expect((await call("user", "get", "sam")).stderr).toContain(
      "The sign-in of the context 127.0.0.1 has ended",
    );
  });

  test("ends with logout: the session too, not the tokens alone", async () => {
    await signIn();
    const { refreshToken } = await readContext();
    expect((await call("logout")).stdout).toBe("signed out (context 127.0.0.1)\n");
    expect((await api(service).rest.refresh(refreshToken ?? "")).status).toBe(401);
    expect((await call("context", "list")).stderr).toBe("You have not signed in anywhere.\n");
  });
});

describe("the access token of a context", () => {
  test("is refreshed when it runs out, once where two commands run at once", async () => {
    await signIn();
    const before = await readContext();
    await changeContext({ expiresAt: 0 });
    const count = refreshes();
    const env = { PATH: process.env["PATH"] ?? "", XDG_CONFIG_HOME: home };
    const both = await Promise.all([1, 2].map(() => runWholeCommand(["user", "get", "sam"], env)));
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(refreshes() - count).toBe(1);
    const after = await readContext();
    expect(after.refreshToken).not.toBe(before.refreshToken);
    expect(after.expiresAt).toBeGreaterThan(Date.now());
  });

  test("is replaced when the service refuses it although it should be good", async () => {
    await signIn();
    const { accessToken } = await readContext();
    await changeContext({ accessToken: `${accessToken.slice(0, -8)}AAAAAAAA` });
    expect((await call("user", "get", "sam")).code).toBe(0);
  });

  test("ends with its session, which is told with what to do", async () => {
    await signIn();
    await service.command(["session", "revoke", "sam", "--all"]);
    await changeContext({ expiresAt: 0 });
    expect(await call("user", "get", "sam")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        'The sign-in of the context 127.0.0.1 has ended: run "countersign login --context 127.0.0.1".\n',
      ),
    });
  });
});

describe("the file of a context", () => {
  test.each([0o644, 0o620, 0o604])("is refused where others may read or write it: mode %o", async (mode) => {
    await signIn();
    await chmod(contextFile(), mode);
    const { code, stderr } = await call("user", "list");
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining("or others may read or change it"),
    });
  });

  test.each(["", "{", "[]", '{"server":1}', `{"a":"${"x".repeat(70_000)}"}`])(
    "that is none is told of: %.12s",
    async (text) => {
      await signIn();
      await writeFile(contextFile(), text);
      expect(await call("user", "list")).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/is no (?:context|file of this program)/),
      });
    },
  );

  test("is whole whenever its writer is killed, and the next command tidies up", async () => {
    await signIn();
    const module = pathToFileURL(join(root, "src/cli/calling/contexts.ts")).href;
    const script = `const { openContexts } = await import(${JSON.stringify(module)});
      const contexts = openContexts(process.argv[1]);
      const context = await contexts.find("127.0.0.1");
      for (let round = 0; ; round += 1) {
        await contexts.alone("127.0.0.1", () => contexts.save("127.0.0.1", { ...context, expiresAt: round }));
        if (round === 0) console.log("begun");
      }`;
    const folder = join(home, "countersign");
    for (let round = 0; round < 4; round += 1) {
      const child = spawn(process.execPath, ["--input-type=module", "-e", script, folder], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(child.stdout, "data");
      // sleep: the kill has to come at some moment between two writes, or within one.
      await delay(20 + round * 7);
      child.kill("SIGKILL");
      await once(child, "exit");
      expect(await openContexts(folder).find("127.0.0.1")).toMatchObject({ server: service.url });
    }
    await writeFile(`${contextFile()}.left.new`, "a token");
    await changeContext({ expiresAt: 0 });
    expect((await call("user", "get", "sam")).code).toBe(0);
    const left = await readdir(join(folder, "contexts"));
    expect(left.filter((name) => name.endsWith(".new"))).toEqual([]);
  });
});

describe("what a command acts on", () => {
  test("has to be said where DATABASE_URL is set and somebody has signed in", async () => {
    await signIn();
    process.env["DATABASE_URL"] = service.databaseUrl;
    expect(await call("user", "list")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^DATABASE_URL is set, and you have signed in as the context 127\.0\.0\.1/,
      ),
    });
    expect((await call("user", "list", "--context", "127.0.0.1")).code).toBe(0);
  });

  test("can come from a file of variables", async () => {
    await writeFile(
      join(home, "variables"),
      `DATABASE_URL=${service.databaseUrl}\nSECRET_KEY=x\nISSUER=http://localhost\n`,
    );
    const { code, stderr } = await runWholeCommand(["user", "list", "--env-file", join(home, "variables")], {
      PATH: process.env["PATH"] ?? "",
      HOME: home,
    });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("SECRET_KEY") });
    expect(await call("user", "list", "--env-file", join(home, "none"))).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/cannot be read: ENOENT/),
    });
  });

  test("is never another server with the token of the environment", async () => {
    const env = {
      PATH: process.env["PATH"] ?? "",
      HOME: home,
      COUNTERSIGN_SERVER: service.url,
      COUNTERSIGN_TOKEN_FILE: join(home, "token"),
    };
    const { access_token } = await given.session(service, { user: support });
    await writeFile(join(home, "token"), access_token);
    expect((await runWholeCommand(["user", "get", "sam"], env)).code).toBe(0);
    const other = await runWholeCommand(["user", "get", "sam", "--server", "http://localhost:1"], env);
    expect(other).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("You have not signed in to http://localhost:1"),
    });
  });
});
