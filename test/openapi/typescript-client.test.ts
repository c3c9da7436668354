import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { build } from "esbuild";
import { runTool } from "../_harness/run-tool.ts";
import { startService, type TestService } from "../_harness/service.ts";

let service: TestService;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-client-"));
  service = await startService();
}, 120_000);
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await service.stop();
});

// What somebody writes who has never seen the service, with the names and types of the generated code.
const program = `
import { getCurrentUser, login, type User } from "./client/index.js";
import { client } from "./client/client.gen.js";

export async function signIn(baseUrl: string, username: string, password: string): Promise<User> {
  client.setConfig({ baseUrl });
  const { data: tokens } = await login({ body: { username, password }, throwOnError: true });
  const lifetime: number = tokens.expires_in;
  if (lifetime <= 0) throw new Error("The token has expired already.");
  const { data: user } = await getCurrentUser({ auth: tokens.access_token, throwOnError: true });
  return user;
}

export async function whyNot(username: string, password: string): Promise<string | undefined> {
  const { error } = await login({ body: { username, password } });
  return error?.reason;
}
`;

test("a TypeScript client that a stock generator makes of the document signs in and reads the user", async () => {
  const document = join(folder, "openapi.json");
  await writeFile(document, await (await fetch(`${service.url}/openapi.json`)).text());
  const output = join(folder, "client");
  const generated = await runTool("openapi-ts", ["--input", document, "--output", output, "--no-log-file"], {
    cwd: folder,
    env: { NODE_OPTIONS: `--import ${new URL("older-typescript.js", import.meta.url).href}` },
  });
  expect({ code: generated.code, failed: generated.code === 0 ? "" : generated.output }).toEqual({
    code: 0,
    failed: "",
  });

  const entry = join(folder, "program.ts");
  await writeFile(entry, program);
  const strict = [
    "--ignoreConfig",
    "--noEmit",
    "--strict",
    "--skipLibCheck",
    "--target",
    "es2024",
    "--module",
    "esnext",
  ];
  const types = ["--moduleResolution", "bundler", "--lib", "es2024,dom,dom.iterable", "--types", ""];
  expect(await runTool("tsc", [...strict, ...types, entry])).toEqual({ code: 0, output: "" });

  const bundle = join(folder, "program.mjs");
  await build({ entryPoints: [entry], outfile: bundle, bundle: true, format: "esm", logLevel: "silent" });
  const { signIn, whyNot } = (await import(bundle)) as {
    signIn(url: string, username: string, password: string): Promise<unknown>;
    whyNot(username: string, password: string): Promise<string | undefined>;
  };
  const { username, password } = service.admin;
  expect(await signIn(service.url, username, password)).toEqual({
    id: expect.stringMatching(/^usr_/),
    username: "admin",
    email: null,
    is_active: true,
    status: "active",
    roles: ["admin"],
    created_at: expect.any(String),
    last_login_at: expect.any(String),
  });
  expect(await whyNot(username, "wrong")).toBe("invalid_credentials");
}, 180_000);
