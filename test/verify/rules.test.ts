import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  type ClientDuplexStream,
  credentials,
  makeGenericClientConstructor,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceDefinition,
  status,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAccessInterceptor } from "../../packages/verify/src/adapters/connect.ts";
import { type FastifyRouteLike, guardRoutes } from "../../packages/verify/src/adapters/fastify.ts";
import { callerOf, createGrpcGuard } from "../../packages/verify/src/adapters/grpc.ts";
import { createTestIssuer } from "../../packages/verify/src/test-issuer.ts";
import { AuthService } from "../../src/gen/countersign/v1/auth_pb.ts";
import { UserService } from "../../src/gen/countersign/v1/users_pb.ts";
import { Health } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { root } from "../_harness/service.ts";

const issuer = createTestIssuer({ audience: "orders" });
const verifier = issuer.verifier();
const folder = mkdtempSync(join(tmpdir(), "countersign-test-rules-"));
afterAll(() => {
  verifier.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A service whose RPCs have these options. */
function load(name: string, rpcs: string): ServiceDefinition {
  const file = join(folder, `${name}.proto`);
  writeFileSync(
    file,
    `syntax = "proto3"; package ${name}; import "countersign/v1/options.proto";
     message M { string text = 1; } service S { ${rpcs} }`,
  );
  return loadSync(file, { includeDirs: [folder, join(root, "proto")] })[`${name}.S`] as ServiceDefinition;
}

describe("a service whose RPC says nothing of who may call it, or what only Countersign can check", () => {
  test.each([
    ["no option", "rpc A(M) returns (M);", "none.S/A has no option (countersign.v1.access)."],
    [
      "an empty option",
      "rpc A(M) returns (M) { option (countersign.v1.access) = {}; }",
      "none.S/A has no option (countersign.v1.access).",
    ],
    [
      "anyone: false",
      "rpc A(M) returns (M) { option (countersign.v1.access).anyone = false; }",
      "none.S/A has no option (countersign.v1.access).",
    ],
    [
      "another's option of that name",
      "rpc A(M) returns (M) { option (google.access).anyone = true; }",
      "none.S/A has no option (countersign.v1.access).",
    ],
    [
      "a permission",
      'rpc A(M) returns (M) { option (countersign.v1.access).permission = "users.read"; }',
      "none.S/A: a permission is checked by Countersign alone. Use roles or scopes.",
    ],
    [
      "a field in place of a token",
      'rpc A(M) returns (M) { option (countersign.v1.access).bearer = { unless_field: "text" }; }',
      "none.S/A: unless_field is checked by Countersign alone.",
    ],
  ])("cannot be registered with %s", (_what, rpcs, message) => {
    const service = load("none", rpcs);
    expect(() => createGrpcGuard(verifier).addService(new Server(), service, { A: () => undefined })).toThrow(
      message,
    );
  });

  test("cannot be guarded by Connect's interceptor", () => {
    expect(() => createAccessInterceptor(verifier, [Health])).toThrow(
      "grpc.health.v1.Health/Check has no option (countersign.v1.access).",
    );
    expect(() => createAccessInterceptor(verifier, [UserService])).toThrow("is checked by Countersign alone");
    expect(() => createAccessInterceptor(verifier, [AuthService])).toThrow("is checked by Countersign alone");
  });

  test("cannot be a route of Fastify", () => {
    const hooks: ((route: FastifyRouteLike) => void)[] = [];
    guardRoutes({ addHook: (_name: string, hook: never) => hooks.push(hook) }, verifier);
    const [onRoute] = hooks;
    expect(() => onRoute?.({ method: "GET", url: "/orders" })).toThrow("GET /orders has no config.access.");
    expect(() => onRoute?.({ method: "GET", url: "/orders", config: { access: {} } })).not.toThrow();
  });
});

interface Text {
  readonly text: string;
}

describe("RPCs of every kind over gRPC", () => {
  const kinds = ["Unary", "Up", "Down", "Both"] as const;
  type Kind = (typeof kinds)[number];
  const guarded =
    '{ option (countersign.v1.access).bearer = { scopes: "a" scopes: "b" roles: "x" roles: "y" }; }';
  const rpcs = `
    rpc Unary(M) returns (M) ${guarded} rpc Up(stream M) returns (M) ${guarded}
    rpc Down(M) returns (stream M) ${guarded} rpc Both(stream M) returns (stream M) ${guarded}
    rpc Open(M) returns (M) { option (countersign.v1.access).anyone = true; }`;
  const service = load("kinds", rpcs);
  const unguarded = load("unguarded", rpcs);
  const guard = createGrpcGuard(verifier);
  const server = new Server({ interceptors: [guard.interceptor] });
  const handled: string[] = [];
  let address: string;

  const handle =
    (name: string) =>
    (call: ServerDuplexStream<Text, Text>, answer?: (error: null, message: Text) => void): void => {
      handled.push(name);
      const text = name === "Open" ? "anyone" : callerOf(call).subject;
      if (answer !== undefined) {
        answer(null, { text });
        return;
      }
      call.write({ text });
      call.end();
    };
  const implementation = Object.fromEntries([...kinds, "Open"].map((name) => [name, handle(name)]));

  beforeAll(async () => {
    guard.addService(server, service, implementation);
    server.addService(unguarded, implementation);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    address = `127.0.0.1:${port}`;
  });
  afterAll(() => server.forceShutdown());

  /** The text that an RPC answers, or the code that it ends with. */
  function call(name: Kind | "Open", token: string | null, definition = service): Promise<string | number> {
    const client = new (makeGenericClientConstructor(definition, "S"))(address, credentials.createInsecure());
    const metadata = new Metadata();
    if (token !== null) metadata.set("authorization", `Bearer ${token}`);
    const outcome = new Promise<string | number>((resolve) => {
      const take = (error: { readonly code: number } | null, message?: Text): void =>
        resolve(error?.code ?? message?.text ?? "nothing");
      const rpc = client[name]?.bind(client) as (...args: unknown[]) => ClientDuplexStream<Text, Text>;
      const message = { text: "hello" };
      if (name === "Unary" || name === "Open") rpc(message, metadata, take);
      else if (name === "Up") rpc(metadata, take).end(message);
      else {
        const stream = name === "Down" ? rpc(message, metadata) : rpc(metadata);
        stream.on("data", (answer: Text) => take(null, answer));
        stream.on("error", take as never).on("end", () => take(null));
        if (name === "Both") stream.end(message);
      }
    });
    return outcome.finally(() => client.close());
  }

  test.each(kinds)("of the kind %s pass or are refused before their handler", async (name) => {
    handled.length = 0;
    const tokenOf = (scopes: string[], roles: string[]) => issuer.token({ subject: "ann", scopes, roles });
    expect({
      whole: await call(name, tokenOf(["a", "b", "c"], ["y"])),
      "a scope is missing": await call(name, tokenOf(["a"], ["x"])),
      "both roles are missing": await call(name, tokenOf(["a", "b"], ["z"])),
      "no token": await call(name, null),
      "no signature": await call(name, "a.b.c"),
    }).toEqual({
      whole: "ann",
      "a scope is missing": status.PERMISSION_DENIED,
      "both roles are missing": status.PERMISSION_DENIED,
      "no token": status.UNAUTHENTICATED,
      "no signature": status.UNAUTHENTICATED,
    });
    expect(handled).toEqual([name]);
  });

  test("that anyone may call need no token, and look at none", async () => {
    expect(await call("Open", null)).toBe("anyone");
    expect(await call("Open", "a.b.c")).toBe("anyone");
  });

  test("of a service that was registered past the guard are refused", async () => {
    handled.length = 0;
    const token = issuer.token({ scopes: ["a", "b"], roles: ["x"] });
    for (const name of [...kinds, "Open"] as const) {
      expect(await call(name, token, unguarded)).toBe(status.PERMISSION_DENIED);
    }
    expect(handled).toEqual([]);
  });
});
