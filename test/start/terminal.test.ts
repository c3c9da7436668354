import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { eventually, untilUp } from "../_harness/eventually.ts";
import { freePort } from "../_harness/ports.ts";
import { mainFile } from "../_harness/service.ts";
import { postgresOf } from "./start-process.ts";

/** A program on a pseudo-terminal. */
interface Terminal {
  screen(): string;
  type(keys: string): void;
  waitFor(text: string | RegExp): Promise<void>;
  end(): Promise<number | null>;
  /** As if its window were closed. */
  hangUp(): void;
}

const left = new Set<ChildProcess>();

/** Runs the command line on a pseudo-terminal, which `script` (bsdutils, util-linux) makes. */
async function openTerminal(args: readonly string[], env: Record<string, string>): Promise<Terminal> {
  // In place of the shell that it is started by: Ctrl-C reaches a shell as well, which has an exit code of its own.
  const command = `exec ${[process.execPath, mainFile, ...args].map((word) => `'${word}'`).join(" ")}`;
  const child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", TERM: "xterm", SHELL: "/bin/sh", ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  left.add(child);
  let screen = "";
  child.stdout.on("data", (chunk: Buffer) => (screen += chunk.toString().replaceAll("\r\n", "\n")));
  const closed = once(child, "close");
  return {
    screen: () => screen,
    type: (keys) => void child.stdin.write(keys),
    async waitFor(text) {
      const isThere = () => (typeof text === "string" ? screen.includes(text) : text.test(screen));
      await untilUp(child, isThere, 30_000).catch(() => {
        throw new Error(`It did not appear:\n${screen}`);
      });
    },
    hangUp: () => void child.kill("SIGKILL"),
    async end() {
      await closed;
      left.delete(child);
      return child.exitCode;
    },
  };
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-terminal-"));
  // Others may pass through, as through most folders that hold a project.
  await chmod(folder, 0o711);
});
afterAll(async () => {
  for (const child of left) child.kill("SIGTERM");
  await rm(folder, { recursive: true, force: true });
});

describe("on a terminal", () => {
  test("the first start shows the password and a line that signs in, and Ctrl-C ends all of it in order", async () => {
    const dataDir = join(folder, "data");
    const env = {
      DATA_DIR: dataDir,
      PORT: String(await freePort()),
      OPS_PORT: String(await freePort()),
      // What a careless line would let the shell read otherwise.
      BOOTSTRAP_USERNAME: "o'neil $(touch pwned) & co",
    };
    const terminal = await openTerminal(["serve"], env);
    await terminal.waitFor("Ctrl-C stops the service.\n");
    const screen = terminal.screen();
    const password = /^ +Password +([A-Za-z0-9]{24})$/m.exec(screen)?.[1] ?? "";
    expect(password).not.toBe("");
    expect(screen).toContain(`Service    http://localhost:${env.PORT}   (`);
    expect(screen).toContain("Username   o'neil $(touch pwned) & co\n");
    // The log above the screen holds no password, and no file keeps one that was seen.
    expect(screen.split("is ready.")[0]).not.toContain(password);
    await eventually(async () => !(await readdir(dataDir)).includes("bootstrap-password"));

    const line = /^ +(curl .*)$/m.exec(screen)?.[1] ?? "";
    const { stdout } = await promisify(execFile)("sh", ["-c", line], { cwd: folder });
    expect(JSON.parse(stdout)).toMatchObject({
      token_type: "bearer",
      refresh_token: expect.stringMatching(/^csr_/),
    });
    expect(await readdir(folder)).toEqual(["data"]);

    terminal.type("\u0003");
    expect(await terminal.end()).toBe(0);
    expect(terminal.screen()).toContain("the service has stopped");
    expect(await postgresOf(dataDir)).toEqual([]);
  }, 60_000);

  test("closing the window ends the service and its PostgreSQL in order", async () => {
    const dataDir = join(folder, "data");
    const env = { DATA_DIR: dataDir, PORT: String(await freePort()), OPS_PORT: String(await freePort()) };
    const terminal = await openTerminal(["serve"], env);
    await terminal.waitFor("Ctrl-C stops the service.\n");
    expect(terminal.screen()).toContain("curl -d username=admin -d password=YOUR-PASSWORD ");
    expect(terminal.screen()).not.toContain("The first user was made");
    terminal.hangUp();
    await eventually(async () => (await postgresOf(dataDir)).length === 0, 20_000, 50);
    expect(await postgresOf(dataDir)).toEqual([]);
    const log = await readFile(join(dataDir, "postgres.log"), "utf8");
    expect(log.trimEnd().split("\n").at(-1)).toContain("database system is shut down");
  }, 60_000);

  test("user create asks for the password twice and shows it never; Ctrl-C gives up", async () => {
    const env = { DATA_DIR: join(folder, "data") };
    const good = await openTerminal(["user", "create", "anna"], env);
    await good.waitFor("Password: ");
    good.type("an unusual password\r");
    await good.waitFor("Again: ");
    good.type("an unusual password\r");
    expect(await good.end()).toBe(0);
    expect(good.screen()).toMatch(/created anna \(usr_/);
    expect(good.screen()).not.toContain("unusual");

    const differing = await openTerminal(["user", "create", "bert"], env);
    await differing.waitFor("Password: ");
    differing.type("an unusual password\r");
    await differing.waitFor("Again: ");
    differing.type("another unusual one\r");
    expect(await differing.end()).toBe(1);
    expect(differing.screen()).toContain("The two passwords differ.");

    const givenUp = await openTerminal(["user", "create", "carl"], env);
    await givenUp.waitFor("Password: ");
    givenUp.type("\u0003");
    expect(await givenUp.end()).toBe(1);
    expect(givenUp.screen()).toContain("No password was typed.");
  }, 60_000);
});
