import {
  type DescMethodUnary,
  fromBinary,
  fromJson,
  type JsonObject,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { Client, credentials, Metadata, status as grpcStatus } from "@grpc/grpc-js";
import { AuthService } from "../../src/gen/countersign/v1/auth_pb.ts";
import { TokenService } from "../../src/gen/countersign/v1/token_pb.ts";
import { openH2 } from "./h2-request.ts";
import { fromConnectError, fromGrpcStatus, fromRest, type Outcome, success } from "./outcome.ts";

/** One call of an RPC, whatever protocol it goes by. */
export interface Call {
  readonly rpc: keyof typeof rpcs;
  /** The request's fields under their proto names. */
  readonly input?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A way in. */
export interface Caller {
  readonly name: string;
  call(call: Call): Promise<Outcome>;
  close(): void;
}

const rpcs = {
  Login: { method: AuthService.method.login, verb: "POST", path: "/auth/login" },
  GetCurrentUser: { method: AuthService.method.getCurrentUser, verb: "GET", path: "/auth/me" },
  GetJwks: { method: TokenService.method.getJwks, verb: "GET", path: "/.well-known/jwks.json" },
} as const satisfies Record<string, { method: DescMethodUnary; verb: string; path: string }>;

const form = "application/x-www-form-urlencoded";
const json = "application/json";

/** Every way in, each with a real client of its protocol. */
export function createCallers(url: string): readonly Caller[] {
  const connectTo =
    (options: { httpVersion: "1.1" | "2"; useBinaryFormat: boolean; useHttpGet?: boolean }) =>
    (sessionManager: Http2SessionManager) =>
      createConnectTransport({ baseUrl: url, sessionManager, ...options });
  return [
    restOverHttp1(url, "REST form over HTTP/1.1", form),
    restOverHttp1(url, "REST JSON over HTTP/1.1", json),
    restOverHttp2(url, "REST form over HTTP/2", form),
    restOverHttp2(url, "REST JSON over HTTP/2", json),
    overTransport(
      url,
      "Connect JSON over HTTP/1.1",
      connectTo({ httpVersion: "1.1", useBinaryFormat: false }),
    ),
    overTransport(
      url,
      "Connect binary over HTTP/1.1",
      connectTo({ httpVersion: "1.1", useBinaryFormat: true }),
    ),
    overTransport(url, "Connect JSON over HTTP/2", connectTo({ httpVersion: "2", useBinaryFormat: false })),
    overTransport(url, "Connect binary over HTTP/2", connectTo({ httpVersion: "2", useBinaryFormat: true })),
    overTransport(
      url,
      "Connect JSON by GET",
      connectTo({ httpVersion: "1.1", useBinaryFormat: false, useHttpGet: true }),
    ),
    overTransport(
      url,
      "Connect binary by GET",
      connectTo({ httpVersion: "2", useBinaryFormat: true, useHttpGet: true }),
    ),
    overTransport(url, "gRPC", (sessionManager) => createGrpcTransport({ baseUrl: url, sessionManager })),
    overTransport(url, "gRPC JSON", (sessionManager) =>
      createGrpcTransport({ baseUrl: url, sessionManager, useBinaryFormat: false }),
    ),
    overTransport(url, "gRPC-Web over HTTP/1.1", () =>
      createGrpcWebTransport({ baseUrl: url, httpVersion: "1.1" }),
    ),
    overTransport(url, "gRPC-Web over HTTP/2", (sessionManager) =>
      createGrpcWebTransport({ baseUrl: url, httpVersion: "2", sessionManager }),
    ),
    overGrpcJs(url),
  ];
}

/** The one way in of this name. */
export function createCaller(url: string, name: string): Caller {
  const all = createCallers(url);
  for (const caller of all) if (caller.name !== name) caller.close();
  const found = all.find((caller) => caller.name === name);
  if (found === undefined) throw new Error(`There is no caller named ${name}.`);
  return found;
}

interface RestCall {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

function restCall({ rpc, input = {}, headers = {} }: Call, contentType: string): RestCall {
  const { verb, path } = rpcs[rpc];
  if (verb === "GET") return { method: verb, path, headers: { ...headers } };
  const body = contentType === form ? new URLSearchParams(input).toString() : JSON.stringify(input);
  return { method: verb, path, headers: { "content-type": contentType, ...headers }, body };
}

function restOverHttp1(url: string, name: string, contentType: string): Caller {
  return {
    name,
    async call(call) {
      const { path, ...init } = restCall(call, contentType);
      const answer = await fetch(url + path, init);
      return fromRest(answer.status, answer.headers.get("retry-after"), (await answer.json()) as JsonObject);
    },
    close: () => undefined,
  };
}

function restOverHttp2(url: string, name: string, contentType: string): Caller {
  const h2 = openH2(url);
  return {
    name,
    async call(call) {
      const { status, headers, body } = await h2.send(restCall(call, contentType));
      return fromRest(status, headers["retry-after"] ?? null, JSON.parse(body.toString()) as JsonObject);
    },
    close: () => h2.close(),
  };
}

function overTransport(
  url: string,
  name: string,
  createTransport: (sessionManager: Http2SessionManager) => Transport,
): Caller {
  const sessionManager = new Http2SessionManager(url);
  const transport = createTransport(sessionManager);
  return {
    name,
    async call({ rpc, input = {}, headers = {} }) {
      const method: DescMethodUnary = rpcs[rpc].method;
      const request = fromJson(method.input, { ...input });
      try {
        const { message } = await transport.unary(method, undefined, undefined, { ...headers }, request);
        return success(toJson(method.output, message, { useProtoFieldName: true, alwaysEmitImplicit: true }));
      } catch (error) {
        return fromConnectError(error);
      }
    },
    close: () => sessionManager.abort(),
  };
}

/** A client that shares no code with the server. */
function overGrpcJs(url: string): Caller {
  const client = new Client(new URL(url).host, credentials.createInsecure());
  return {
    name: "gRPC by grpc-js",
    call({ rpc, input = {}, headers = {} }) {
      const method: DescMethodUnary = rpcs[rpc].method;
      const metadata = new Metadata();
      for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
      const request = Buffer.from(toBinary(method.input, fromJson(method.input, { ...input })));
      const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
      const path = `/${method.parent.typeName}/${method.name}`;
      client.makeUnaryRequest(path, same, same, request, metadata, (error, answer) => {
        if (error === null && answer !== undefined) {
          const message = fromBinary(method.output, answer);
          resolve(
            success(toJson(method.output, message, { useProtoFieldName: true, alwaysEmitImplicit: true })),
          );
          return;
        }
        const [details] = error?.metadata.get("grpc-status-details-bin") ?? [];
        if (error === null || details === undefined) {
          reject(error ?? new Error("The answer is empty."));
          return;
        }
        const code = grpcStatus[error.code] ?? "";
        resolve(fromGrpcStatus(code, error.details, Buffer.from(details as Buffer)));
      });
      return promise;
    },
    close: () => client.close(),
  };
}

function same(bytes: Buffer): Buffer {
  return bytes;
}
