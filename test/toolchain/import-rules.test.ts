import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { findImportViolations } from "../../scripts/imports/find-violations.ts";
import { importRules } from "../../scripts/imports/rules.ts";

const repository = join(import.meta.dirname, "../..");

function violationsOf(path: string, source: string): string[] {
  const found = findImportViolations(new Map([[path, source]]), importRules);
  return found.map((violation) => `${violation.path}:${violation.line} ${violation.message}`);
}

describe("an arrow that points the wrong way is found", () => {
  test.each([
    ["src/lib/a.ts", "../errors/reasons.ts", "src/lib imports no other layer"],
    ["src/lib/a.ts", "../gen/countersign/v1/auth_pb.ts", "src/lib imports no other layer"],
    ["src/postgres/a.ts", "../domain/user/user.ts", "knows no noun"],
    ["src/postgres/a.ts", "../redis/a.ts", "no other store"],
    ["src/redis/a.ts", "../domain/session/session.ts", "knows no noun"],
    ["src/redis/a.ts", "../config/config.ts", "knows no noun"],
    ["src/hashing/a.ts", "../domain/password/a.ts", "knows no noun"],
    ["src/domain/user/a.ts", "../../http/a.ts", "holds the rules"],
    ["src/domain/user/a.ts", "../../api/router.ts", "holds the rules"],
    ["src/domain/user/a.ts", "../../transcoding/a.ts", "holds the rules"],
    ["src/domain/user/a.ts", "../../cli/a.ts", "holds the rules"],
    ["src/domain/user/a.ts", "../../ops/a.ts", "holds the rules"],
    ["src/domain/user/a.ts", "../../config/config.ts", "holds the rules"],
    ["src/domain/user/a.ts", "../../app/service.ts", "holds the rules"],
    ["src/domain/user/a.ts", "../../gen/countersign/v1/auth_pb.ts", "holds the rules"],
    ["src/domain/user/a.ts", "@connectrpc/connect", "holds the rules"],
    ["src/domain/user/a.ts", "@connectrpc/connect/protocol", "holds the rules"],
    ["src/domain/user/a.ts", "node:http", "holds the rules"],
    ["src/domain/user/a.ts", "node:http2", "holds the rules"],
    ["src/domain/user/a.ts", "http2", "holds the rules"],
    ["src/errors/reasons.ts", "../lib/a.ts", "imports nothing"],
    ["src/errors/reasons.ts", "node:util", "imports nothing"],
    ["src/domain/token/a.ts", "../session/session-store.ts", "a noun itself uses its store"],
    ["src/api/auth/login.ts", "../../domain/user/postgres-user-store.ts", "a noun itself uses its store"],
    ["src/ops/a.ts", "../domain/user/stores/a-store.ts", "a noun itself uses its store"],
    ["src/transcoding/a.ts", "../errors/reasons.ts", "knows descriptors"],
    ["src/transcoding/a.ts", "../gen/countersign/v1/auth_pb.ts", "knows descriptors"],
    ["src/api/a.ts", "../http/a.ts", "knows no port"],
    ["src/api/a.ts", "../postgres/a.ts", "no store"],
    ["src/api/a.ts", "../config/config.ts", "knows no port"],
    ["src/http/a.ts", "../domain/user/user.ts", "nouns stay behind"],
    ["src/http/a.ts", "../app/service.ts", "moves bytes"],
    ["src/ops/a.ts", "../api/router.ts", "uses no store"],
    ["src/cli/a.ts", "../http/a.ts", "knows no port and no handler"],
    ["src/cli/a.ts", "../api/router.ts", "knows no port and no handler"],
    ["src/app/a.ts", "./service.ts", "knows neither"],
    ["src/app/a.ts", "../api/router.ts", "knows neither"],
    ["src/app/a.ts", "../cli/run.ts", "knows neither"],
    ["src/app/a.ts", "../http/a.ts", "knows neither"],
    ["src/config/a.ts", "../domain/user/user.ts", "before anything is built"],
    ["src/app/service.ts", "../main.ts", "nothing of the command line"],
    ["src/app/service.ts", "../cli/run.ts", "nothing of the command line"],
    ["src/main.ts", "./api/router.ts", "hands over to the command line"],
    ["src/gen/a_pb.ts", "../lib/a.ts", "only generated code"],
    ["src/openapi/a.ts", "../api/a.ts", "the contract and the reason registry"],
    ["src/web/a.ts", "../openapi/a.ts", "the generator is no part of the running service"],
    ["src/app/service.ts", "../openapi/a.ts", "build everything that answers calls"],
    ["src/api/a.ts", "../../test/_harness/a.ts", "leans on what lies outside"],
    ["src/app/service.ts", "../../scripts/a.ts", "leans on what lies outside"],
    ["src/app/service.ts", "../../bench/a.ts", "leans on what lies outside"],
    ["src/api/a.ts", "#http", "go by relative path"],
  ])("%s -> %s", (path, specifier, why) => {
    const found = violationsOf(path, `\nimport { a } from "${specifier}";\n`);
    expect(found).toEqual([expect.stringContaining(`${path}:2 imports`)]);
    expect(found[0]).toContain(why);
  });

  test.each([
    ["a type", 'import type { A } from "../errors/reasons.ts";'],
    ["a re-export", 'export { a } from "../errors/reasons.ts";'],
    ["a re-export of everything", 'export * from "../errors/reasons.ts";'],
    ["a side effect", 'import "../errors/reasons.ts";'],
    ["a dynamic import", 'export const a = import("../errors/reasons.ts");'],
    ["an import type", 'export type A = import("../errors/reasons.ts").Reason;'],
    ["a computed import", "export const a = (name: string) => import(name);"],
  ])("written as %s", (_, source) => {
    expect(violationsOf("src/lib/a.ts", source)).toHaveLength(1);
  });
});

describe("an arrow that points the right way is let through", () => {
  test.each([
    ["src/main.ts", "./cli/run.ts"],
    ["src/cli/serve.ts", "../app/service.ts"],
    ["src/app/core.ts", "../domain/user/user-store.ts"],
    ["src/http/edge.ts", "../ops/probes.ts"],
    ["src/app/service.ts", "../domain/user/postgres-user-store.ts"],
    ["src/app/service.ts", "../http/listener.ts"],
    ["src/cli/user.ts", "../domain/user/postgres-user-store.ts"],
    ["src/http/a.ts", "../transcoding/a.ts"],
    ["src/http/a.ts", "../errors/reasons.ts"],
    ["src/api/auth/login.ts", "../../domain/user/user.ts"],
    ["src/api/auth/login.ts", "@connectrpc/connect"],
    ["src/transcoding/a.ts", "../gen/google/api/http_pb.ts"],
    ["src/transcoding/a.ts", "@bufbuild/protobuf"],
    ["src/domain/user/user-service.ts", "./postgres-user-store.ts"],
    ["src/domain/user/user-service.ts", "../../postgres/pool.ts"],
    ["src/domain/user/user-service.ts", "node:crypto"],
    ["src/postgres/pool.ts", "../errors/reasons.ts"],
    ["src/postgres/pool.ts", "pg"],
    ["src/lib/a.ts", "./b.ts"],
    ["src/lib/a.test.ts", "../app/service.ts"],
  ])("%s -> %s", (path, specifier) => {
    expect(violationsOf(path, `import { a } from "${specifier}";`)).toEqual([]);
  });
});

test("no layer imports one that stands above it", () => {
  const { layers } = importRules;
  const floorOf = (glob: string) =>
    layers.findIndex(({ files }) => files.some((own) => glob.startsWith(own.replace(/\*\*$/, ""))));
  const upward = layers.flatMap(({ files, mayImport }, floor) =>
    mayImport.filter((glob) => floorOf(glob) <= floor).map((glob) => `${files.join()} -> ${glob}`),
  );
  // service.ts stands in src/app, above the rest of the folder.
  expect(upward).toEqual([]);
});

describe("process.env is read in src/config alone", () => {
  test.each([
    ["process.env.HOME;"],
    ['process["env"];'],
    ["globalThis.process.env;"],
    ["const { env } = process;"],
    ["const { ...all } = process;"],
    ['import { env } from "node:process";'],
  ])("%s", (source) => {
    expect(violationsOf("src/ops/a.ts", source)).toEqual([expect.stringContaining("reads process.env")]);
    expect(violationsOf("src/config/a.ts", source)).toEqual([]);
  });

  test("other things named env are not the environment", () => {
    expect(
      violationsOf("src/ops/a.ts", "export const a = (options: { env: string }) => options.env;"),
    ).toEqual([]);
  });
});

test("a folder that no layer names is found", () => {
  expect(violationsOf("src/helpers/a.ts", "")).toEqual([expect.stringContaining("belongs to no layer")]);
});

describe("the command", () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "import-rules-"));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  function plant(path: string, source: string): void {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), source);
  }

  function run(command: string, args: readonly string[], cwd: string) {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
    return { status, output: stdout + stderr };
  }

  const checkImports = (target: string) =>
    run(process.execPath, [join(repository, "scripts/check-imports.ts"), target], repository);

  test("fails, and names file, line and reason", () => {
    plant("src/lib/a.ts", '\n\nimport "../app/service.ts";');
    expect(checkImports(root)).toEqual({
      status: 1,
      output: expect.stringMatching(/^src\/lib\/a\.ts:3 imports src\/app\/service\.ts: .+\n$/),
    });
  });

  test("fails where there is nothing to check", () => {
    expect(checkImports(root).status).toBe(1);
  });

  test("finds the present tree clean", () => {
    expect(checkImports(repository)).toEqual({ status: 0, output: "" });
  });

  test.each([
    ["values", 'import { b } from "./b.ts";\nexport const a = (): unknown => b;\n'],
    ["types", 'import type { B } from "./b.ts";\nexport type A = B | string;\n'],
  ])("a cycle of %s fails the linter", (_, source) => {
    plant("src/lib/a.ts", source);
    plant(
      "src/lib/b.ts",
      source.replaceAll(/[ab]\b/gi, (name) => swapped[name] ?? name),
    );
    const config = join(repository, ".oxlintrc.json");
    const { status, output } = run(join(repository, "node_modules/.bin/oxlint"), ["-c", config, "."], root);
    expect(output).toContain("no-cycle");
    expect(status).toBe(1);
  });
  const swapped: Readonly<Record<string, string>> = { a: "b", b: "a", A: "B", B: "A" };
});
