import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "@jest/globals";
import { commands } from "../../src/cli/commands.ts";
import { bashCompletion } from "../../src/cli/completion/bash.ts";
import { fishCompletion } from "../../src/cli/completion/fish.ts";
import { zshCompletion } from "../../src/cli/completion/zsh.ts";
import { ClientService } from "../../src/gen/countersign/v1/clients_pb.ts";
import { KeyService } from "../../src/gen/countersign/v1/keys_pb.ts";
import { RoleService } from "../../src/gen/countersign/v1/roles_pb.ts";
import { UserService } from "../../src/gen/countersign/v1/users_pb.ts";
import { root } from "../_harness/service.ts";

const run = promisify(execFile);
const shown = commands.filter(({ isHidden }) => isHidden !== true);

/** What bash offers at the end of a line. */
async function complete(line: string): Promise<string[]> {
  const words = line.split(" ");
  const script = `${bashCompletion(shown)}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _countersign; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await run("bash", ["--norc", "-c", script, "bash", ...words], {
    cwd: join(root, "docs"),
  });
  return stdout.split("\n").filter((word) => word !== "");
}

describe("bash", () => {
  test.each([
    ["countersign us", ["user"]],
    ["countersign user s", ["set-roles", "set-password", "suspend", "sessions"]],
    ["countersign help role up", ["update"]],
    ["countersign user list --o", ["--order-by"]],
    ["countersign user create alice --must", ["--must-change-password"]],
    ["countersign login --s", ["--server", "--scope"]],
    ["countersign whoami --token-file rest.m", ["rest.md"]],
    ["countersign user list --server ht", []],
    ["countersign user list --bogus", []],
    ["countersign user suspend al", []],
  ])("completes %j", async (line, words) => {
    expect(await complete(line)).toEqual(words);
  });

  test("completes every command and every option", async () => {
    const script = bashCompletion(shown);
    for (const { name, options } of shown) {
      for (const word of name.split(" ")) expect(script).toMatch(new RegExp(`[" ]${word}[" ]`));
      for (const option of Object.keys(options)) expect(script).toContain(`--${option}`);
    }
  });
});

test.each([
  ["zsh", zshCompletion(shown), ["-n", "-c"]],
  ["fish", fishCompletion(shown), ["--no-execute", "-c"]],
])("the script for %s is one, where there is such a shell", async (shell, script, options) => {
  expect(script).toContain("require-password-change");
  const found = await run("bash", ["-c", `command -v ${shell}`]).catch(() => null);
  const problems = found === null ? "" : (await run(shell, [...options, script])).stderr;
  expect(problems).toBe("");
});

test("each RPC of users, clients, roles and keys has a command that calls it", () => {
  const sources = readdirSync(join(root, "src/cli"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(join(root, "src/cli", name), "utf8"))
    .join("\n");
  for (const [noun, service] of [
    ["users", UserService],
    ["clients", ClientService],
    ["roles", RoleService],
    ["keys", KeyService],
  ] as const) {
    const missing = service.methods.filter(({ localName }) => !sources.includes(`${noun}.${localName}(`));
    // `user import` works on the stores, without the RPC.
    expect(missing.map(({ name }) => name)).toEqual(noun === "users" ? ["ImportUsers"] : []);
  }
});
