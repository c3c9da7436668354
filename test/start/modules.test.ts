import { execFile } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";

const source = join(import.meta.dirname, "..", "..", "src");
const loaded = ["app/service.ts", "app/serve-here.ts"].map((path) => pathToFileURL(join(source, path)).href);

test("what serves does not load Node's fetch, which an import of node:http would", async () => {
  const script = `await Promise.all(${JSON.stringify(loaded)}.map((url) => import(url)));
    console.log(JSON.stringify(process.moduleLoadList))`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
  const names = JSON.parse(stdout) as string[];
  expect(names).toContain("NativeModule http");
  expect(names.filter((name) => name.includes("undici"))).toEqual([]);
}, 60_000);
