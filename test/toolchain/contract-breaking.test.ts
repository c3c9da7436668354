import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";

const repository = join(import.meta.dirname, "../..");
const bin = join(repository, "node_modules/.bin");
const { scripts } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as {
  scripts: Record<"check:breaking", string>;
};

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "contract-"));
  for (const part of ["buf.yaml", "proto", "third_party"]) {
    cpSync(join(repository, part), join(root, part), { recursive: true });
  }
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

/** Runs the very command that `npm run check` runs, against the image of the last release. */
function checkBreaking() {
  const env = { ...process.env, PATH: [bin, process.env["PATH"]].join(delimiter) };
  const { status, stdout, stderr } = spawnSync(scripts["check:breaking"], {
    cwd: root,
    shell: true,
    encoding: "utf8",
    env,
  });
  return { status, output: stdout + stderr };
}

function change(path: string, from: string, to: string): void {
  const file = join(root, "proto/countersign/v1", path);
  const source = readFileSync(file, "utf8");
  const changed = source.replace(from, to);
  if (changed === source) throw new Error(`${path} does not hold: ${from}`);
  writeFileSync(file, changed);
}

describe("a change that breaks callers of the last release fails the check", () => {
  test("the contract as it stands passes", () => {
    expect(checkBreaking()).toEqual({ status: 0, output: "" });
  });

  test("a new field passes", () => {
    change(
      "auth.proto",
      "int32 expires_in = 4",
      "// New.\n  string another = 1000;\n  // Old.\n  int32 expires_in = 4",
    );
    expect(checkBreaking()).toEqual({ status: 0, output: "" });
  });

  test.each([
    ["a field's number", "auth.proto", "int32 expires_in = 4", "int32 expires_in = 1000"],
    ["a field's type", "auth.proto", "int32 expires_in = 4", "int64 expires_in = 4"],
    ["a field's name", "auth.proto", "int32 expires_in = 4", "int32 lifetime = 4"],
    ["a field's presence", "auth.proto", "optional string scope = 5;", "string scope = 5;"],
    ["an RPC's name", "auth.proto", "rpc Login(", "rpc SignIn("],
    ["an RPC's answer", "auth.proto", "returns (TokenResponse)", "returns (User)"],
  ])("%s", (_, path, from, to) => {
    change(path, from, to);
    const { status, output } = checkBreaking();
    expect(output).toContain(path);
    expect(status).toBe(100);
  });
});
