import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { credentials, loadPackageDefinition, Metadata, type ServiceClientConstructor } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { createTestIssuer } from "../../packages/verify/src/test-issuer.ts";
import { requireTokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { untilUp } from "../_harness/eventually.ts";
import * as given from "../_harness/given.ts";
import { freePort, isOpen } from "../_harness/ports.ts";
import { root, startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

/** The packages that a service of docs/verifying.md needs beside the one under test. */
const others = [
  "@bufbuild/protobuf@2.17.0",
  "@connectrpc/connect@2.2.0",
  "@connectrpc/connect-node@2.2.0",
  "@grpc/grpc-js@1.14.7",
  "@grpc/proto-loader@0.8.1",
  "express@5.3.0",
  "fastify@5.12.8",
];
const audience = "https://orders.example.com";
const folder = mkdtempSync(join(tmpdir(), "countersign-test-verify-"));
const run = (program: string, args: readonly string[], cwd: string = folder): string =>
  execFileSync(program, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

let issuer: TestService;
const children: ChildProcess[] = [];

beforeAll(async () => {
  const started = startService({ issuerHost: "127.0.0.1", env: { AUDIENCE: audience } });
  run("npm", ["run", "--silent", "build"], join(root, "packages/verify"));
  const packed = run(
    "npm",
    ["pack", "--silent", "--pack-destination", folder],
    join(root, "packages/verify"),
  );
  writeFileSync(join(folder, "package.json"), '{"type":"module","private":true}');
  run("npm", ["install", "--silent", "--no-audit", "--no-fund", `./${packed.trim()}`, ...others]);
  writeDocumentedFiles();
  generateCode();
  issuer = await started;
});
afterAll(async () => {
  for (const child of children) child.kill();
  await issuer.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The code of docs/verifying.md, each block under the name that stands beside its language. */
function writeDocumentedFiles(): void {
  const page = readFileSync(join(root, "docs/verifying.md"), "utf8");
  for (const [, name = "", code = ""] of page.matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms)) {
    writeFileSync(join(folder, name), code);
  }
}

/** As a user of Connect makes the code of orders.proto. */
function generateCode(): void {
  const proto = join(folder, "node_modules/@countersign/verify/proto");
  const config = { version: "v2", modules: [{ path: "." }, { path: proto.slice(folder.length + 1) }] };
  const template = {
    version: "v2",
    plugins: [
      {
        local: join(root, "node_modules/.bin/protoc-gen-es"),
        out: "gen",
        include_imports: true,
        opt: ["target=ts", "import_extension=ts"],
      },
    ],
  };
  writeFileSync(join(folder, "buf.yaml"), JSON.stringify(config));
  const args = ["generate", `--template=${JSON.stringify(template)}`, "--path=orders.proto"];
  run(join(root, "node_modules/.bin/buf"), args);
}

/** Starts a documented service; its address is a port of this machine. */
async function start(file: string, env: Record<string, string> = {}): Promise<number> {
  const port = await freePort();
  const child = spawn(process.execPath, [file], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
    env: { PATH: process.env["PATH"], ISSUER: issuer.url, AUDIENCE: audience, PORT: String(port), ...env },
  });
  children.push(child);
  await untilUp(child, () => isOpen(port), 20_000);
  return port;
}

interface Callers {
  readonly admin: string;
  readonly plain: string;
  readonly refresh: string;
  readonly stranger: string;
}

/** Tokens of callers that a service must tell apart. */
async function createCallers(): Promise<Callers> {
  const admin = requireTokens(await api(issuer).rest.login(issuer.admin));
  const sql = await openSql(issuer.databaseUrl);
  const plain = await given.session(issuer, { user: await given.user(sql) });
  await sql.end();
  const elsewhere = createTestIssuer({ issuer: issuer.url, audience });
  return {
    admin: admin.access_token,
    plain: plain.access_token,
    refresh: admin.refresh_token,
    stranger: elsewhere.token({ roles: ["admin"] }),
  };
}

type Call = (port: number, token: string | null) => Promise<number>;

const byHttp: Call = async (port, token) => {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers });
  const text = await answer.text();
  if (answer.ok) expect(text).toMatch(/^Hello \S+/);
  else expect(JSON.parse(text)).toMatchObject({ status: answer.status, reason: expect.any(String) });
  return answer.status;
};

const byConnect: Call = async (port, token) => {
  const headers = {
    "content-type": "application/json",
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
  };
  const url = `http://127.0.0.1:${port}/orders.v1.OrderService/GetGreeting`;
  const answer = await fetch(url, { method: "POST", headers, body: "{}" });
  await answer.text();
  return answer.status;
};

const byGrpc: Call = (port, token) => {
  const includeDirs = [folder, join(folder, "node_modules/@countersign/verify/proto")];
  const { orders } = loadPackageDefinition(loadSync("orders.proto", { includeDirs })) as unknown as {
    readonly orders: { readonly v1: { readonly OrderService: ServiceClientConstructor } };
  };
  const client = new orders.v1.OrderService(`127.0.0.1:${port}`, credentials.createInsecure());
  const metadata = new Metadata();
  if (token !== null) metadata.set("authorization", `Bearer ${token}`);
  return new Promise((resolve) => {
    client["GetGreeting"]?.({}, metadata, (error: { readonly code: number } | null) => {
      client.close();
      resolve(error?.code ?? 0);
    });
  });
};

const http = { admin: 200, denied: 403, refused: 401, call: byHttp };
const services = {
  "http.ts": http,
  "express.ts": http,
  "fastify.ts": http,
  "connect.ts": { ...http, call: byConnect },
  "grpc.ts": { admin: 0, denied: 7, refused: 16, call: byGrpc },
};

describe.each(Object.entries(services))(
  "the documented service %s",
  (file, { call, admin, denied, refused }) => {
    test("admits an administrator, and refuses everybody else with the right code", async () => {
      const [port, elsewhere, callers] = await Promise.all([
        start(file),
        start(file, { AUDIENCE: "https://billing.example.com" }),
        createCallers(),
      ]);
      expect({
        admin: await call(port, callers.admin),
        plain: await call(port, callers.plain),
        none: await call(port, null),
        refresh: await call(port, callers.refresh),
        stranger: await call(port, callers.stranger),
        "wrong audience": await call(elsewhere, callers.admin),
      }).toEqual({
        admin,
        plain: denied,
        none: refused,
        refresh: refused,
        stranger: refused,
        "wrong audience": refused,
      });
    });
  },
);

test("a route that Fastify had before the guard is refused, and a path without a route is not found", async () => {
  const documented = readFileSync(join(folder, "fastify.ts"), "utf8");
  const early = 'app.get("/early", async () => "open");\nguardRoutes(app, verifier);';
  writeFileSync(join(folder, "early.ts"), documented.replace("guardRoutes(app, verifier);", early));
  const port = await start("early.ts");
  const ask = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
  expect([await ask("/early"), await ask("/"), await ask("/nowhere")]).toEqual([403, 401, 404]);
});

test("the documented test of a service passes", () => {
  expect(run(process.execPath, ["--test", "orders.test.ts"])).toContain("pass 1");
});

test("the package's types suit its users", () => {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const args = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--skipLibCheck"];
  const types = ["--types", "node", "--typeRoots", join(root, "node_modules/@types")];
  writeFileSync(
    join(folder, "use.ts"),
    'import { createVerifier, type AccessToken } from "@countersign/verify";\n' +
      'const verifier = createVerifier({ issuer: "https://a.example", audience: "b" });\n' +
      'export const verified: Promise<AccessToken> = verifier.verify("c");\n' +
      "// @ts-expect-error: a verifier needs an audience.\n" +
      'createVerifier({ issuer: "https://a.example" });\n',
  );
  expect(() => run(process.execPath, [tsc, ...args, ...types, "use.ts"])).not.toThrow();
});
