import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { findPython, type Python } from "../_harness/python.ts";
import { buf, runClient } from "../_harness/run-client.ts";
import { root, startService, type TestService } from "../_harness/service.ts";

// grpcio, which is gRPC's C core: the implementation that most other languages stand on.

const program = await readFile(join(import.meta.dirname, "python-grpc-client.py"), "utf8");
const descriptors = join(tmpdir(), `countersign-test-${process.pid}.binpb`);

let service: TestService;
let python: Python;
beforeAll(async () => {
  service = await startService();
  python = await findPython({ grpc: "python3-grpcio", "google.protobuf": "python3-protobuf" });
  const { code, stderr } = await runClient(buf, ["build", "-o", descriptors], root);
  if (code !== 0) throw new Error(stderr);
}, 180_000);
afterAll(async () => {
  await rm(descriptors, { force: true });
  await service.stop();
});

async function ask(calls: readonly object[]): Promise<unknown[]> {
  const input = { target: new URL(service.url).host, descriptors, calls };
  return JSON.parse(await python.run(program, JSON.stringify(input))) as unknown[];
}

test("Python's grpcio signs in and asks for the user, on one channel", async () => {
  const [login, user, keys] = await ask([
    { rpc: "countersign.v1.AuthService/Login", request: service.admin, keep: "access_token" },
    { rpc: "countersign.v1.AuthService/GetCurrentUser", request: {}, bearer: true },
    { rpc: "countersign.v1.TokenService/GetJwks", request: {} },
  ]);
  expect(login).toMatchObject({
    code: "OK",
    message: { refresh_token: expect.stringMatching(/^csr_/), token_type: "bearer", expires_in: 900 },
  });
  expect(user).toMatchObject({
    code: "OK",
    message: { username: "admin", is_active: true, roles: ["admin"] },
  });
  expect(keys).toMatchObject({ code: "OK", message: { keys: [{ kty: "EC", crv: "P-256" }] } });
});

test("Python's grpcio reads the status, the sentence and the details of failures from the trailers", async () => {
  const answers = await ask([
    { rpc: "countersign.v1.AuthService/Login", request: { ...service.admin, password: "wrong" } },
    { rpc: "countersign.v1.AuthService/Login", request: { username: "admin" } },
    { rpc: "countersign.v1.AuthService/Login", request: { ...service.admin, scope: "everything" } },
    { rpc: "countersign.v1.AuthService/GetCurrentUser", request: {} },
  ]);
  const info = (reason: string) => ({ type: "google.rpc.ErrorInfo", reason, domain: "countersign" });
  expect(answers).toEqual([
    {
      code: "UNAUTHENTICATED",
      sentence: "The username or the password is wrong.",
      details: [info("invalid_credentials")],
    },
    {
      code: "INVALID_ARGUMENT",
      sentence: "A field is not valid.",
      details: [
        info("validation_failed"),
        {
          type: "google.rpc.BadRequest",
          field_violations: [{ field: "password", description: "is required", reason: "required" }],
        },
      ],
    },
    {
      code: "INVALID_ARGUMENT",
      sentence: "A scope is unknown, malformed, or more than may be asked for.",
      details: [info("invalid_scope")],
    },
    { code: "UNAUTHENTICATED", sentence: "An access token is required.", details: [info("missing_token")] },
  ]);
});

test("Python's grpcio gets UNIMPLEMENTED for an RPC that does not exist", async () => {
  const [answer] = await ask([
    { rpc: "countersign.v1.AuthService/Login", path: "/countersign.v1.Nobody/Login" },
  ]);
  expect(answer).toMatchObject({ code: "UNIMPLEMENTED" });
});
