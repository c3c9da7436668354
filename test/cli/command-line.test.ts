import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { commands } from "../../src/cli/commands.ts";
import { explainError } from "../../src/cli/explain-error.ts";
import { explainListenError } from "../../src/cli/explain-listen-error.ts";
import { commandHelp, generalHelp, groupHelp } from "../../src/cli/help.ts";
import { AppError } from "../../src/errors/app-error.ts";
import { call } from "../_harness/call-command.ts";
import { root, runCommand, runWholeCommand } from "../_harness/service.ts";

describe("help", () => {
  test.each([
    [["--help"], generalHelp(commands)],
    [["-h"], generalHelp(commands)],
    [["help"], generalHelp(commands)],
    [
      ["user", "--help"],
      groupHelp(
        "user",
        commands.filter(({ name }) => name.startsWith("user ")),
      ),
    ],
    [["help", "user", "create"], commandHelp(commands.find(({ name }) => name === "user create")!)],
    [["user", "create", "--help"], commandHelp(commands.find(({ name }) => name === "user create")!)],
    [["serve", "-h"], commandHelp(commands.find(({ name }) => name === "serve")!)],
  ])("%j is answered on standard output with exit code 0", async (args, text) => {
    expect(await call(...args)).toEqual({ code: 0, stdout: `${text}\n`, stderr: "" });
  });

  test("fits a terminal of 80 columns, and names every command, operand and option", () => {
    const general = generalHelp(commands);
    for (const command of commands.filter(({ isHidden }) => isHidden !== true)) {
      const own = commandHelp(command);
      expect(general).toContain(`  ${command.name}`);
      expect(own).toContain([`usage: countersign ${command.name}`, ...command.operands].join(" "));
      for (const [name, { help }] of Object.entries(command.options)) {
        expect(own.replaceAll(/\s+/g, " ")).toMatch(
          new RegExp(`--${name}\\b( [A-Z/]+)?(\\.\\.\\.)? ${help.replaceAll(/[[\](){}*.]/g, "\\$&")}`),
        );
      }
      const lines = `${general}\n${own}`.split("\n").filter((line) => !line.startsWith("  countersign "));
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    }
  });

  test("--version tells the version of the package", async () => {
    const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
    expect(await call("--version")).toEqual({
      code: 0,
      stdout: `countersign ${manifest.version}\n`,
      stderr: "",
    });
  });
});

describe("wrong usage", () => {
  test.each([
    [[], /^Countersign, an identity service\.\n/],
    [["sevre"], /^There is no such command\. Did you mean `serve`\?\n/],
    [["user"], /^`user` has no such command\.\n\nusage: countersign user COMMAND/],
    [["user", "suspned", "a"], /^`user` has no such command\. Did you mean `user suspend`\?\n/],
    [["usr", "list"], /^There is no such command\. Did you mean `user list`\?\n/],
    [["user", "colour"], /^`user` has no such command\.\n/],
    [["help", "sevre"], /^There is no such command\. Did you mean/],
    [["--bogus"], /^There is no such command\.\n/],
    [
      ["user", "list", "--bogus"],
      /^Unknown option '--bogus'\.\nusage: countersign user list \[OPTION\]\.\.\.\n$/,
    ],
    [["user", "list", "--jsno"], /^Unknown option '--jsno'\. Did you mean `--json`\?\nusage: /],
    [["user", "get"], /^It takes the arguments NAME\.\.\.\.\nusage: /],
    [["user", "set-roles", "a"], /^Give the roles that the user is to have, or --none\.\n/],
    [["user", "list", "--limit", "none"], /^The limit must be a number above 0\.\n/],
    [
      ["user", "list", "--local", "--server", "https://id"],
      /^--local acts on the stores, and --server on a service\.\n/,
    ],
    [["user", "list", "--token-file", "t"], /^A token file needs --server: a token is for one service\.\n/],
    [["user", "list", "--context", "a", "--token-file", "t"], /^Give either --context or --token-file\.\n/],
    [["user", "list", "--server", "http://id.example.org"], /^Over plain http anybody on the way could read/],
    [["user", "list", "--server", "ftp://id.example.org"], /^The server must be an address such as https:/],
    [
      ["user", "list", "--server", "https://a:b@id.example.org"],
      /^The server must be an address without a name/,
    ],
    [["user", "list", "--server", "https://id", "--token", "hunter2"], /^Passwords and tokens are read from/],
    [["login"], /^Say which service: --server/],
    [["login", "--server", "https://id"], /^Say who signs in: --username NAME, or --client ID\.\n/],
    [["login", "--server", "https://id", "--context", "a/b"], /^The name of a context must be/],
    [["user", "list", "--json=yes"], /^Option '--json' does not take an argument\.\nusage: /],
    [["user", "list", "extra"], /^It takes no arguments, only options\.\nusage: /],
    [["user", "create"], /^It takes one argument: NAME\.\nusage: /],
    [["user", "create", "a", "--email"], /^Option '--email <value>' argument missing\.\nusage: /],
    [
      ["user", "create", "a", "--password", "hunter2"],
      /^Passwords and tokens are read from standard input or a file: process lists show arguments\.\n/,
    ],
    [["user", "create", "a", "--password=hunter2"], /^Passwords and tokens are read from/],
  ])("%j is told of on standard error with exit code 2", async (args, text) => {
    const { code, stdout, stderr } = await call(...args);
    expect(stderr).toMatch(text);
    expect(stderr).not.toMatch(/hunter2|\n {4}at /);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });
});

describe("a process", () => {
  test("ends with the exit code, and keeps standard output for what was asked for", async () => {
    // Wrong usage touches no database: this DATA_DIR could not be made.
    const env = { PATH: process.env["PATH"] ?? "", DATA_DIR: "/proc/none" };
    expect(await runCommand(["help"], env)).toEqual({
      code: 0,
      stdout: `${generalHelp(commands)}\n`,
      stderr: "",
    });
    expect(await runCommand([], env)).toEqual({ code: 2, stdout: "", stderr: `${generalHelp(commands)}\n` });
    expect(await runCommand(["user", "create", "a", "--email"], env)).toMatchObject({ code: 2, stdout: "" });
  });
});

describe("a failure", () => {
  test("of the configuration is told whole, with exit code 1 and no stack", async () => {
    const env = { PATH: process.env["PATH"] ?? "", PORT: "80abc", LOG_LEVEL: "loud" };
    for (const args of [["serve"], ["migrate"], ["user", "list"]]) {
      expect(await runCommand(args, env)).toEqual({
        code: 1,
        stdout: "",
        stderr:
          "The configuration has problems:\n" +
          "  - PORT must be a whole number from 0 to 65535.\n" +
          "  - LOG_LEVEL must be one of debug, info, warn, error, silent.\n",
      });
    }
  });

  test("to reach the database is a sentence, after one that says which, and shows nothing secret", async () => {
    const env = {
      PATH: process.env["PATH"] ?? "",
      DATABASE_URL: "postgres://anna:hunter2@127.0.0.1:1/secretdb",
      SECRET_KEY: "91c0b6a3f25d7e8449a1d3c07be5f682",
      ISSUER: "http://localhost",
    };
    const startedAt = performance.now();
    expect(await runWholeCommand(["user", "list"], env)).toEqual({
      code: 1,
      stdout: "",
      stderr: "Database: secretdb at 127.0.0.1:1\nThe database cannot be reached: connection refused.\n",
    });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test("is always sentences", () => {
    const fields = [
      { field: "username", code: "required", detail: "is required" },
      { field: "password", code: "too_common", detail: "is too common" },
    ] as const;
    expect(explainError(new Error("it went wrong"))).toBe("It went wrong.");
    expect(explainError(new Error("Enough."))).toBe("Enough.");
    expect(explainError(new Error(""))).toBe("Failed for an unknown reason.");
    expect(explainError("text")).toBe("Failed for an unknown reason.");
    expect(explainError(new AppError("not_found", "There is no such user."))).toBe("There is no such user.");
    expect(explainError(new AppError("validation_failed", "A field is not valid.", { fields }))).toBe(
      "The username is required.\nThe password is too common.",
    );
    const cause = Object.assign(new Error("secret"), { code: "ECONNREFUSED" });
    expect(explainError(new AppError("unavailable", "x", { cause }))).toBe(
      "The database cannot be reached: connection refused.",
    );
  });

  const config = { port: 8080, opsPort: 9090, host: "0.0.0.0" };
  test.each([
    [
      "EADDRINUSE",
      "listen",
      8080,
      "Port 8080 is in use by another program: set PORT to a free one, or end that program.",
    ],
    [
      "EADDRINUSE",
      "listen",
      9090,
      "Port 9090 is in use by another program: set OPS_PORT to a free one, or end that program.",
    ],
    ["EACCES", "listen", 8080, "Port 8080 needs more rights than this user has: set PORT to one above 1023."],
    [
      "EADDRNOTAVAIL",
      "listen",
      8080,
      "HOST is not an address of this machine. Use 0.0.0.0 or :: for all of its addresses.",
    ],
    [
      "ENOTFOUND",
      "getaddrinfo",
      undefined,
      "HOST is not an address of this machine. Use 0.0.0.0 or :: for all of its addresses.",
    ],
    ["EACCES", "open", undefined, "original"],
  ])("%s of %s on port %s says which variable to set", (code, syscall, port, sentence) => {
    const error = Object.assign(new Error("original"), { code, syscall, port });
    expect(explainListenError(error, config)).toMatchObject({ message: sentence });
  });
});
