import { fromBinary, toBinary, create } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceError,
  status as Status,
} from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer, loadSync, type PackageDefinition } from "@grpc/proto-loader";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ServerReflection } from "../../src/gen/grpc/reflection/v1/reflection_pb.ts";
import { bearerOf } from "../_harness/rest.ts";
import { startService, type TestService } from "../_harness/service.ts";

const loadOptions = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true };
const authName = "countersign.v1.AuthService";
const tokenName = "countersign.v1.TokenService";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

/** A client's method of the kind that grpc-js makes at run time. */
type Method = (
  request: object,
  metadata: Metadata,
  done: (error: ServiceError | null, value?: unknown) => void,
) => void;
interface ForeignClient {
  readonly [method: string]: Method;
}
type ForeignConstructor = new (address: string, credentials: unknown) => ForeignClient & { close(): void };

function connectTo(definition: PackageDefinition, name: string) {
  const loaded = loadPackageDefinition({ Service: definition[name] as never });
  const Client = loaded["Service"] as unknown as ForeignConstructor;
  const client = new Client(new URL(service.url).host, credentials.createInsecure());
  return {
    call(method: string, request: object, headers: Record<string, string> = {}): Promise<unknown> {
      const metadata = new Metadata();
      for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
      return new Promise((resolve, reject) => {
        client[method]?.call(client, request, metadata, (error, value) =>
          error === null ? resolve(value) : reject(error),
        );
      });
    },
    close: () => client.close(),
  };
}

function fromFiles(): Promise<PackageDefinition> {
  const includeDirs = ["proto", "third_party"];
  const files = ["countersign/v1/auth.proto", "countersign/v1/token.proto"];
  return Promise.resolve(loadSync(files, { ...loadOptions, includeDirs }));
}

/** Knows nothing but the address. */
async function fromReflection(): Promise<PackageDefinition> {
  const client = createClient(ServerReflection, createGrpcTransport({ baseUrl: service.url }));
  async function* questions() {
    for (const value of [authName, tokenName]) {
      yield { host: "", messageRequest: { case: "fileContainingSymbol" as const, value } };
    }
  }
  const file = [];
  for await (const { messageResponse } of client.serverReflectionInfo(questions())) {
    if (messageResponse.case !== "fileDescriptorResponse") throw new Error("Reflection sends no files.");
    const { fileDescriptorProto } = messageResponse.value;
    file.push(...fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes)));
  }
  const set = toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }));
  return loadFileDescriptorSetFromBuffer(Buffer.from(set), loadOptions);
}

describe.each([
  ["the proto files", fromFiles],
  ["server reflection", fromReflection],
])("@grpc/grpc-js by %s", (_what, load) => {
  let auth: ReturnType<typeof connectTo>;
  let token: ReturnType<typeof connectTo>;
  beforeAll(async () => {
    const definition = await load();
    auth = connectTo(definition, authName);
    token = connectTo(definition, tokenName);
  });
  afterAll(() => {
    auth.close();
    token.close();
  });

  test("signs in and asks for the user", async () => {
    const tokens = (await auth.call("Login", service.admin)) as { access_token: string };
    expect(tokens).toEqual({
      // How @grpc/proto-loader tells that a field that need not be there is.
      _refresh_token: "refresh_token",
      access_token: expect.any(String),
      refresh_token: expect.stringMatching(/^csr_/),
      token_type: "bearer",
      expires_in: 900,
    });
    const user = await auth.call("GetCurrentUser", {}, bearerOf(tokens.access_token));
    expect(user).toMatchObject({ username: "admin", is_active: true, status: "active", roles: ["admin"] });
  });

  test("reads the keys", async () => {
    expect(await token.call("GetJwks", {})).toMatchObject({
      keys: [{ kty: "EC", alg: "ES256", crv: "P-256" }],
    });
  });

  test("is told the code, the sentence and the reason of a failure", async () => {
    const error = await auth
      .call("Login", { ...service.admin, password: "wrong" })
      .catch((thrown: unknown) => thrown);
    const { code, details, metadata } = error as ServiceError;
    expect({ code, details }).toEqual({
      code: Status.UNAUTHENTICATED,
      details: "The username or the password is wrong.",
    });
    const [status] = metadata.get("grpc-status-details-bin");
    expect(String(status)).toContain("google.rpc.ErrorInfo");
    expect(String(status)).toContain("invalid_credentials");
    expect(String(status)).toContain("countersign");
  });

  test("is told which field is wrong", async () => {
    const error = await auth.call("Login", { username: "admin" }).catch((thrown: unknown) => thrown);
    const { code, metadata } = error as ServiceError;
    expect(code).toBe(Status.INVALID_ARGUMENT);
    const [status] = metadata.get("grpc-status-details-bin");
    expect(String(status)).toContain("google.rpc.BadRequest");
    expect(String(status)).toMatch(/password[^]*is required/);
  });

  test("keeps its own deadline", async () => {
    const error = await auth
      .call("Login", service.admin, { "grpc-timeout": "1n" })
      .catch((thrown: unknown) => thrown);
    expect((error as ServiceError).code).toBe(Status.DEADLINE_EXCEEDED);
  });
});
