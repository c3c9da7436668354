import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "@jest/globals";

const program = `
  import { registerHooks } from "node:module";
  const loaded = [];
  registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
  await import("./src/app/serve-here.ts");
  console.log(loaded.join("\\n"));
`;

test("the service loads no interpreter of rules, and no CEL, until a rule needs it", () => {
  const args = ["--disable-warning=ExperimentalWarning", "--input-type=module", "--eval", program];
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: join(import.meta.dirname, "../.."),
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  const packages = new Set(stdout.matchAll(/\/node_modules\/(@bufbuild\/[^/]+)\//g).map(([, name]) => name));
  // protovalidate's one module that holds the options of buf.validate is wanted.
  expect(packages).toEqual(new Set(["@bufbuild/protobuf", "@bufbuild/protovalidate"]));
  expect(stdout).toContain("/gen/buf/validate/validate_pb.js");
  expect(stdout).not.toContain("/protovalidate/dist/esm/index.js");
}, 60_000);
