import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { root } from "../_harness/service.ts";

const folder = mkdtempSync(join(tmpdir(), "protocol-text-"));
afterAll(() => rmSync(folder, { recursive: true }));

function check(path: string, source: string) {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, source);
  const script = join(root, "scripts/check-protocol-text.ts");
  const { status, stderr } = spawnSync(process.execPath, [script, folder], { encoding: "utf8" });
  rmSync(file);
  return { status, stderr };
}

describe("text of a protocol that is read as JavaScript reads text is found", () => {
  test.each([
    "const name = pair.trim();",
    "const name = pair\n  .trimStart();",
    "const form = /a\\s*b/;",
    "const form = /^basic/iu.exec(text);",
    "const name = text.toLowerCase();",
    "const port = Number.parseInt(text, 10);",
    'const bytes = Buffer.from(String(text), "base64url");',
    "const bytes = atob(text);",
  ])("%s", (source) => {
    for (const path of ["src/http/a.ts", "src/api/b/a.ts", "src/transcoding/a.ts"]) {
      expect(check(path, `\n${source}\n`)).toEqual({
        status: 1,
        stderr: expect.stringMatching(new RegExp(`^${path}:[23] `)),
      });
    }
  });

  test.each([
    ["src/domain/a.ts", "const name = text.trim();"],
    ["src/transcoding/a.ts", "// A comment may speak of trim() and \\s."],
    [
      "src/transcoding/a.ts",
      "// our own text: a name from the descriptor.\nconst name = text.toUpperCase();",
    ],
    ["src/transcoding/a.ts", 'import { a } from "../audit/audit.ts";'],
    ["src/transcoding/a.ts", 'const tag = hash.digest("base64url");'],
  ])("but not in %s: %s", (path, source) => {
    expect(check(path, source)).toEqual({ status: 0, stderr: "" });
  });
});
