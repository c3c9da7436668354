import { spawnSync } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { credentials, loadPackageDefinition, type ServiceError } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { root, testSecretKey } from "../_harness/service.ts";
import { createSharedDatabase } from "../_harness/shared-stores.ts";
import type { TestDatabase } from "../_harness/postgres.ts";
import { startProcess } from "../start/start-process.ts";

// What generating and starting need.
const copied = ["src", "proto", "third_party", "scripts", "docs", "test/transcoding", "ARCHITECTURE.md"];
const files = ["package.json", "buf.yaml", "buf.gen.yaml"];

let folder: string;
let database: TestDatabase;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-test-add-rpc-"));
  for (const name of [...copied, ...files]) {
    await cp(join(root, name), join(folder, name), { recursive: true });
  }
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  database = await createSharedDatabase();
}, 60_000);
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

const rpc = `
  // Greet whoever asks.
  //
  // It keeps nothing.
  //
  // Reasons: validation_failed.
  rpc Greet(GreetRequest) returns (Greeting) {
    option (google.api.http) = {get: "/auth/greeting"};
    option (access).anyone = true;
    option (limit).none = "The answer costs nothing.";
    option idempotency_level = NO_SIDE_EFFECTS;
  }
}
`;

const messages = `
// Asks for a greeting.
message GreetRequest {
  // Who is greeted.
  string name = 1 [
    (buf.validate.field).string.min_len = 1,
    (example) = "Ada"
  ];
}

// A greeting.
message Greeting {
  // What is said.
  string text = 1 [(example) = "Hello, Ada."];
}
`;

const handler = `import type { AuthService } from "../../gen/countersign/v1/auth_pb.ts";
import type { Handler } from "../handler.ts";

/** AuthService.Greet: GET /auth/greeting. */
export function greetRpc(): Handler<typeof AuthService.method.greet> {
  return ({ name }) => ({ text: \`Hello, \${name}.\` });
}
`;

/** Changes a file of the copy in one place. */
async function change(path: string, from: string, to: string): Promise<void> {
  const text = await readFile(join(folder, path), "utf8");
  expect(text.split(from)).toHaveLength(2);
  await writeFile(
    join(folder, path),
    text.replace(from, () => to),
  );
}

function run(program: string, ...args: string[]): void {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: "utf8" });
  expect({ program, status, said: status === 0 ? "" : stdout + stderr }).toEqual({
    program,
    status: 0,
    said: "",
  });
}

/** Calls it over gRPC, as a client in another language does that has the proto. */
function greetOverGrpc(port: string, name: string): Promise<unknown> {
  const options = { includeDirs: ["proto", "third_party"].map((path) => join(folder, path)) };
  const { countersign } = loadPackageDefinition(
    loadSync("countersign/v1/auth.proto", options),
  ) as unknown as {
    countersign: { v1: { AuthService: new (host: string, channel: unknown) => GreetClient } };
  };
  const client = new countersign.v1.AuthService(`127.0.0.1:${port}`, credentials.createInsecure());
  return new Promise((resolve, reject) => {
    client.greet({ name }, (error, answer) => (error === null ? resolve(answer) : reject(error)));
  }).finally(() => client.close());
}

interface GreetClient {
  greet(request: object, done: (error: ServiceError | null, answer: unknown) => void): void;
  close(): void;
}

test("an RPC more costs its proto, a handler file and one line in its service's folder, as CONTRIBUTING says", async () => {
  const guide = await readFile(join(root, "CONTRIBUTING.md"), "utf8");
  for (const step of ["## Adding an RPC", "`npm run generate`", "`src/api/<service>/service.ts`"]) {
    expect(guide).toContain(step);
  }

  await change("proto/countersign/v1/auth.proto", "\n}\n\n// A login:", `\n${rpc}${messages}\n// A login:`);
  run(process.execPath, "scripts/generate.ts");
  await writeFile(join(folder, "src/api/auth/greet.ts"), handler);
  const service = "src/api/auth/service.ts";
  await change(service, "import { loginRpc }", 'import { greetRpc } from "./greet.ts";\nimport { loginRpc }');
  await change(service, "    login: loginRpc(", "    greet: greetRpc(),\n    login: loginRpc(");

  const started = await startProcess({
    main: join(folder, "src", "main.ts"),
    env: {
      ISSUER: "http://localhost:8080",
      DATABASE_URL: database.url,
      SECRET_KEY: testSecretKey,
      DATA_DIR: join(folder, "data"),
    },
  });
  try {
    await started.ready();
    const answer = await fetch(`${started.url}/auth/greeting?name=Ada`);
    expect({ status: answer.status, body: await answer.json() }).toEqual({
      status: 200,
      body: { text: "Hello, Ada." },
    });
    const refused = await fetch(`${started.url}/auth/greeting`);
    expect({ status: refused.status, body: await refused.json() }).toMatchObject({
      status: 422,
      body: { reason: "validation_failed" },
    });
    expect(await greetOverGrpc(new URL(started.url).port, "Ada")).toEqual({ text: "Hello, Ada." });
    const document = (await (await fetch(`${started.url}/openapi.json`)).json()) as { paths: object };
    expect(document.paths).toHaveProperty(["/auth/greeting", "get", "summary"], "Greet whoever asks");
  } finally {
    await started.end("SIGTERM");
  }
}, 300_000);
