import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { BadRequestSchema, ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { buf, type ClientRun, runClient } from "../_harness/run-client.ts";
import { root, startService, type TestService } from "../_harness/service.ts";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

const protocols = ["grpc", "grpcweb", "connect"];

// gRPC's numbers, of which buf makes its exit code: eight times the number.
const unauthenticated = 16 * 8;
const invalidArgument = 3 * 8;

/** A detail as buf shows it: Connect's answer has it in clear beside, and that is left out. */
function detail<Schema extends DescMessage>(schema: Schema, init: MessageInitShape<Schema>): object {
  const value = Buffer.from(toBinary(schema, create(schema, init)))
    .toString("base64")
    .replace(/=+$/, "");
  return expect.objectContaining({ type: schema.typeName, value });
}

function errorInfo(reason: string): object {
  return detail(ErrorInfoSchema, { reason, domain: "countersign" });
}

function curl(protocol: string, rpc: string, data: object, ...more: string[]): Promise<ClientRun> {
  const url = `${service.url}/countersign.v1.${rpc}`;
  const version = ["--http2-prior-knowledge", "--protocol", protocol];
  const cwd = more.includes("--schema") ? root : undefined;
  return runClient(buf, ["curl", ...version, ...more, "-d", JSON.stringify(data), url], cwd);
}

describe.each(protocols)("buf curl, a client written in Go, as %s", (protocol) => {
  test("signs in and asks for the user, by server reflection", async () => {
    const login = await curl(protocol, "AuthService/Login", service.admin);
    expect(login).toMatchObject({ code: 0, stderr: "" });
    const { accessToken, ...rest } = JSON.parse(login.stdout) as { accessToken: string };
    expect(rest).toEqual({
      refreshToken: expect.stringMatching(/^csr_/),
      tokenType: "bearer",
      expiresIn: 900,
    });
    const header = `authorization: Bearer ${accessToken}`;
    const user = await curl(protocol, "AuthService/GetCurrentUser", {}, "-H", header);
    expect(JSON.parse(user.stdout)).toMatchObject({ username: "admin", isActive: true, roles: ["admin"] });
  });

  test("signs in by the proto files", async () => {
    const { code, stdout } = await curl(protocol, "AuthService/Login", service.admin, "--schema", ".");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ tokenType: "bearer" });
  });

  test("is told the reason of a failure", async () => {
    const wrong = { ...service.admin, password: "wrong" };
    const { code, stderr } = await curl(protocol, "AuthService/Login", wrong);
    expect(code).toBe(unauthenticated);
    expect(JSON.parse(stderr)).toEqual({
      code: "unauthenticated",
      message: "The username or the password is wrong.",
      details: [errorInfo("invalid_credentials")],
    });
  });

  test("is told which field is wrong", async () => {
    const { code, stderr } = await curl(protocol, "AuthService/Login", { username: "admin" });
    expect(code).toBe(invalidArgument);
    expect(JSON.parse(stderr)).toMatchObject({
      code: "invalid_argument",
      details: [
        errorInfo("validation_failed"),
        detail(BadRequestSchema, {
          fieldViolations: [{ field: "password", description: "is required", reason: "required" }],
        }),
      ],
    });
  });
});

test("buf curl as Connect over HTTP/1.1 signs in", async () => {
  const data = JSON.stringify(service.admin);
  const url = `${service.url}/countersign.v1.AuthService/Login`;
  const { code, stdout } = await runClient(buf, ["curl", "--schema", ".", "-d", data, url], root);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ tokenType: "bearer" });
});
