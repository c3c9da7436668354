import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { credentials, loadPackageDefinition } from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Health } from "../../src/gen/grpc/health/v1/health_pb.ts";
import {
  type ServerReflectionRequestSchema,
  ServerReflection as V1,
} from "../../src/gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as V1Alpha } from "../../src/gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { collect } from "../_harness/collect.ts";
import { buf, runClient } from "../_harness/run-client.ts";
import { startService, type TestService } from "../_harness/service.ts";

type Question = NonNullable<MessageInitShape<typeof ServerReflectionRequestSchema>["messageRequest"]>;

const NAMES = [
  "countersign.v1.AuditService",
  "countersign.v1.AuthService",
  "countersign.v1.ClientService",
  "countersign.v1.KeyService",
  "countersign.v1.RoleService",
  "countersign.v1.TokenService",
  "countersign.v1.UserService",
  "grpc.health.v1.Health",
  "grpc.reflection.v1.ServerReflection",
  "grpc.reflection.v1alpha.ServerReflection",
];
const AUTH_FILES = [
  "countersign/v1/auth.proto",
  "buf/validate/validate.proto",
  "countersign/v1/options.proto",
  "google/api/annotations.proto",
  "google/protobuf/empty.proto",
  "google/protobuf/timestamp.proto",
  "google/protobuf/descriptor.proto",
  "google/protobuf/duration.proto",
  "google/protobuf/field_mask.proto",
  "google/api/http.proto",
];
const NO_SUCH = {
  case: "errorResponse",
  value: { errorCode: 5, errorMessage: "No such file, symbol or extension on this server." },
};

let service: TestService;

beforeAll(async () => {
  service = await startService();
});

afterAll(() => service.stop());

describe.each(["grpc-v1", "grpc-v1alpha"])("a client written in Go, speaking %s,", (version) => {
  const reflect = ["--reflect-protocol", version];

  test("sees every service and method", async () => {
    const services = await bufCurl(...reflect, "--list-services", service.url);
    expect(services.trim().split("\n")).toEqual(NAMES);
    const methods = await bufCurl(...reflect, "--list-methods", service.url);
    expect(methods.trim().split("\n")).toEqual(
      expect.arrayContaining([
        "countersign.v1.AuthService/GetCurrentUser",
        "countersign.v1.AuthService/Login",
        "grpc.health.v1.Health/Watch",
        "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
      ]),
    );
  });

  test("can sign in with no other knowledge of the schema", async () => {
    const login = ["-d", JSON.stringify(service.admin), `${service.url}/countersign.v1.AuthService/Login`];
    expect(JSON.parse(await bufCurl(...reflect, "--protocol", "grpc", ...login))).toMatchObject({
      tokenType: "bearer",
      expiresIn: 900,
    });
  });

  test("can ask for health with no other knowledge of the schema", async () => {
    const check = ["-d", "{}", `${service.url}/grpc.health.v1.Health/Check`];
    expect(JSON.parse(await bufCurl(...reflect, "--protocol", "grpc", ...check))).toEqual({
      status: "SERVING",
    });
  });
});

test("a client built at run time, from nothing but the files that reflection sends, can sign in", async () => {
  const [answer] = await ask({ case: "fileContainingSymbol", value: "countersign.v1.AuthService" });
  const set = create(FileDescriptorSetSchema, { file: descriptorsIn(answer) });
  const definition = loadFileDescriptorSetFromBuffer(Buffer.from(toBinary(FileDescriptorSetSchema, set)));
  const descriptor = definition["countersign.v1.AuthService"] as never;
  const { Auth } = loadPackageDefinition({ Auth: descriptor }) as unknown as { Auth: ForeignAuth };
  const client = new Auth(new URL(service.url).host, credentials.createInsecure());
  const answered = await new Promise((resolve, reject) => {
    client.login(service.admin, (error, value) => (error === null ? resolve(value) : reject(error)));
  });
  client.close();
  expect(answered).toMatchObject({ token_type: "bearer", expires_in: 900 });
});

describe("the file", () => {
  test.each([
    ["countersign.v1.AuthService", "countersign/v1/auth.proto"],
    [".countersign.v1.AuthService", "countersign/v1/auth.proto"],
    ["countersign.v1.AuthService.Login", "countersign/v1/auth.proto"],
    ["countersign.v1.LoginRequest", "countersign/v1/auth.proto"],
    ["countersign.v1.LoginRequest.username", "countersign/v1/auth.proto"],
    ["grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc/health/v1/health.proto"],
    ["grpc.health.v1.HealthCheckResponse.SERVING", "grpc/health/v1/health.proto"],
    ["google.protobuf.Edition", "google/protobuf/descriptor.proto"],
    ["google.protobuf.EDITION_2023", "google/protobuf/descriptor.proto"],
    ["google.protobuf.DescriptorProto.ExtensionRange", "google/protobuf/descriptor.proto"],
    ["google.api.HttpRule.pattern", "google/api/http.proto"],
    ["google.api.http", "google/api/annotations.proto"],
    ["buf.validate.field", "buf/validate/validate.proto"],
    ["google.rpc.ErrorInfo", "google/rpc/error_details.proto"],
    ["grpc.reflection.v1alpha.ErrorResponse", "grpc/reflection/v1alpha/reflection.proto"],
  ])("that declares %s is %s", async (value, file) => {
    const [answer] = await ask({ case: "fileContainingSymbol", value });
    expect(namesIn(answer)[0]).toBe(file);
  });

  test.each([
    ["google.protobuf.MethodOptions", 72295728, "google/api/annotations.proto"],
    [".google.protobuf.FieldOptions", 1159, "buf/validate/validate.proto"],
  ])("that declares extension %s %d is %s", async (containingType, extensionNumber, file) => {
    const [answer] = await ask({
      case: "fileContainingExtension",
      value: { containingType, extensionNumber },
    });
    expect(namesIn(answer)[0]).toBe(file);
  });

  test("of a name comes first, with all that it imports, each once", async () => {
    const [answer] = await ask({ case: "fileByFilename", value: "countersign/v1/auth.proto" });
    expect(namesIn(answer)).toEqual(AUTH_FILES);
  });
});

test("the extension numbers of a message are told in order, none for a message without", async () => {
  const answers = await ask(
    { case: "allExtensionNumbersOfType", value: "google.protobuf.MethodOptions" },
    { case: "allExtensionNumbersOfType", value: "countersign.v1.User" },
    { case: "allExtensionNumbersOfType", value: "countersign.v1.Nobody" },
  );
  expect(answers.map(({ messageResponse }) => messageResponse)).toMatchObject([
    {
      value: {
        baseTypeName: "google.protobuf.MethodOptions",
        extensionNumber: expect.arrayContaining([72295728]),
      },
    },
    {
      case: "allExtensionNumbersResponse",
      value: { baseTypeName: "countersign.v1.User", extensionNumber: [] },
    },
    { case: "errorResponse", value: { errorCode: 5, errorMessage: "No such message on this server." } },
  ]);
  const [first] = answers.map(({ messageResponse }) => messageResponse);
  const numbers = first?.case === "allExtensionNumbersResponse" ? first.value.extensionNumber : [];
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
});

describe("a stream", () => {
  test.each([
    [{ case: "fileByFilename", value: "countersign/v1/nobody.proto" }, NO_SUCH],
    [{ case: "fileByFilename", value: "" }, NO_SUCH],
    [{ case: "fileByFilename", value: "../../etc/passwd" }, NO_SUCH],
    [{ case: "fileContainingSymbol", value: "countersign.v1" }, NO_SUCH],
    [{ case: "fileContainingSymbol", value: "" }, NO_SUCH],
    [{ case: "fileContainingSymbol", value: "..countersign.v1.User" }, NO_SUCH],
    [{ case: "fileContainingSymbol", value: "__proto__" }, NO_SUCH],
    [{ case: "fileContainingSymbol", value: "\0".repeat(60_000) }, NO_SUCH],
    [{ case: "fileContainingExtension", value: {} }, NO_SUCH],
    [
      {
        case: "fileContainingExtension",
        value: { containingType: "google.protobuf.MethodOptions", extensionNumber: -1 },
      },
      NO_SUCH,
    ],
    [{ case: "fileContainingExtension", value: { containingType: "nobody", extensionNumber: 1 } }, NO_SUCH],
    [
      { case: undefined },
      { case: "errorResponse", value: { errorCode: 3, errorMessage: "The request asks nothing." } },
    ],
  ] satisfies [Question, object][])(
    "goes on after a question without an answer (%#)",
    async (question, expected) => {
      const [refusal, services] = await ask(question, { case: "listServices", value: "" });
      expect(refusal?.messageResponse).toMatchObject(expected);
      expect(services?.messageResponse.case).toBe("listServicesResponse");
    },
  );

  test("answers each question in order, with the question and its host", async () => {
    const questions: Question[] = [
      { case: "fileByFilename", value: "google/protobuf/timestamp.proto" },
      { case: "listServices", value: "*" },
      { case: "fileContainingSymbol", value: "nobody" },
    ];
    const answers = await ask(...questions);
    expect(
      answers.map(({ validHost, originalRequest }) => [validHost, originalRequest?.messageRequest]),
    ).toMatchObject(questions.map((question) => ["localhost", question]));
  });

  test("is not sent an import twice, but always the file that it asks for", async () => {
    const answers = await ask(
      { case: "fileByFilename", value: "google/api/annotations.proto" },
      { case: "fileByFilename", value: "countersign/v1/options.proto" },
      { case: "fileByFilename", value: "google/api/http.proto" },
    );
    expect(answers.map(namesIn)).toEqual([
      ["google/api/annotations.proto", "google/api/http.proto", "google/protobuf/descriptor.proto"],
      ["countersign/v1/options.proto"],
      ["google/api/http.proto"],
    ]);
  });
});

test("with REFLECTION=off nothing is told, and everything else works", async () => {
  const silent = await startService({ env: { REFLECTION: "off" } });
  try {
    const transport = createGrpcTransport({ baseUrl: silent.url });
    const streams = [V1, V1Alpha].map((version) =>
      createClient(version, transport).serverReflectionInfo(nothing()),
    );
    for (const stream of streams) {
      const answers = collect(stream);
      await expect(answers).rejects.toMatchObject({ code: Code.Unimplemented });
    }
    expect(await createClient(Health, transport).check({})).toMatchObject({ status: 1 });
  } finally {
    await silent.stop();
  }
});

async function* nothing() {}

type Answer = Awaited<ReturnType<typeof ask>>[number];

function descriptorsIn(answer: Answer | undefined) {
  if (answer?.messageResponse.case !== "fileDescriptorResponse") {
    throw new Error("The answer holds no files.");
  }
  return answer.messageResponse.value.fileDescriptorProto.map((bytes) =>
    fromBinary(FileDescriptorProtoSchema, bytes),
  );
}

function namesIn(answer: Answer | undefined): readonly string[] {
  return descriptorsIn(answer).map((file) => file.name);
}

async function bufCurl(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runClient(buf, ["curl", "--http2-prior-knowledge", ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

/** Asks these questions on one stream. */
async function ask(...questions: readonly Question[]) {
  async function* requests() {
    for (const messageRequest of questions) {
      yield { host: "localhost", messageRequest };
    }
  }
  const answers = [];
  const client = createClient(V1, createGrpcTransport({ baseUrl: service.url }));
  for await (const answer of client.serverReflectionInfo(requests())) {
    answers.push(answer);
  }
  return answers;
}

interface ForeignAuth {
  new (
    address: string,
    credentials: unknown,
  ): {
    login(request: object, done: (error: Error | null, value?: unknown) => void): void;
    close(): void;
  };
}
