import {
  type DescMessage,
  fromBinary,
  fromJson,
  getOption,
  type JsonObject,
  type Message,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { BytesValueSchema } from "@bufbuild/protobuf/wkt";
import type { Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { createAsyncIterable } from "@connectrpc/connect/protocol";
import { Client, credentials, Metadata, type ServiceError, status as grpcStatus } from "@grpc/grpc-js";
import { omit_empty } from "../../src/gen/countersign/v1/options_pb.ts";
import { type HttpBody, HttpBodySchema } from "../../src/gen/google/api/httpbody_pb.ts";
import { collect } from "./collect.ts";
import { openH2 } from "./h2-request.ts";
import { fromConnectError, fromGrpcStatus, fromRest, type Outcome, success } from "./outcome.ts";
import { restCallOf, rpcOf, writeParameters } from "./rest-call.ts";

/** One call of an RPC, whatever protocol it goes by. */
export interface Call {
  /** The RPC's name: `Login`. */
  readonly rpc: string;
  /** The request's fields under their proto names. */
  readonly input?: JsonObject;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether a message is sent in its place that nobody can read, in the way of each protocol. */
  readonly unreadable?: boolean;
}

/** A way in. */
export interface Caller {
  readonly name: string;
  call(call: Call): Promise<Outcome>;
  close(): void;
}

const form = "application/x-www-form-urlencoded";
const json = "application/json";
const ndjson = "application/x-ndjson";

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

interface RestRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

function restRequest({ rpc, input = {}, headers = {}, unreadable }: Call, contentType: string): RestRequest {
  const known = rpcOf(rpc);
  const { method, path, rest } = restCallOf(known, input);
  if (rest === null) {
    // Half a percent-encoded octet.
    const query = unreadable === true ? `${path.includes("?") ? "&" : "?"}page_token=%f` : "";
    return { method, path: path + query, headers: { ...headers } };
  }
  if (known.methodKind === "client_streaming") {
    const line = unreadable === true ? "{" : JSON.stringify(rest);
    return { method, path, headers: { "content-type": ndjson, ...headers }, body: `${line}\n` };
  }
  const body = contentType === form ? writeForm(rest) : JSON.stringify(rest);
  const broken = contentType === form ? "%ff" : "{";
  return {
    method,
    path,
    headers: { "content-type": contentType, ...headers },
    body: unreadable === true ? broken : body,
  };
}

function writeForm(rest: JsonObject): string {
  return writeParameters(rest);
}

async function fetchText(url: string, init: RequestInit) {
  const answer = await fetch(url, init);
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

/** The body of an answer; of a stream, which a test has end soon, all that it brought. */
function readRest(contentType: string | null, text: string): { readonly body: JsonObject } {
  const type = contentType?.split(";")[0] ?? "";
  if (type === "text/csv") return { body: bytesOf(contentType ?? "", text) };
  if (type !== "application/x-ndjson") return { body: text === "" ? {} : (JSON.parse(text) as JsonObject) };
  const messages = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as JsonObject);
  return { body: { messages } };
}

function restOverHttp1(url: string, name: string, contentType: string): Caller {
  return {
    name,
    async call(call) {
      const { path, ...init } = restRequest(call, contentType);
      const { status, headers, ...answer } = await fetchText(url + path, init);
      const { body } = readRest(headers.get("content-type"), answer.text);
      return fromRest(status, headers.get("retry-after"), body);
    },
    close: () => undefined,
  };
}

function restOverHttp2(url: string, name: string, contentType: string): Caller {
  const h2 = openH2(url);
  return {
    name,
    async call(call) {
      const { status, headers, body } = await h2.send(restRequest(call, contentType));
      const read = readRest(headers["content-type"] ?? null, body.toString());
      return fromRest(status, headers["retry-after"] ?? null, read.body);
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
    async call({ rpc, input = {}, headers = {}, unreadable }) {
      const known = rpcOf(rpc);
      // As a message of one field that is no UTF-8; in JSON a text, which is no object.
      const method = unreadable === true ? { ...known, input: BytesValueSchema } : known;
      const request = fromJson(method.input, unreadable === true ? "/w==" : input);
      try {
        if (method.methodKind === "unary") {
          const { message } = await transport.unary(method, undefined, undefined, { ...headers }, request);
          return success(asRestWrites(method.output, message));
        }
        const requests = createAsyncIterable([request]);
        const answer = await transport.stream(method, undefined, undefined, { ...headers }, requests);
        const messages = await collect(answer.message);
        if (method.methodKind === "server_streaming") return success(joinMessages(method.output, messages));
        const [only] = messages;
        if (only === undefined) throw new Error("The answer is empty.");
        return success(asRestWrites(method.output, only));
      } catch (error) {
        return fromConnectError(error);
      }
    },
    close: () => sessionManager.abort(),
  };
}

/** A message in JSON, without the empty lists that REST leaves out. */
function asRestWrites(desc: DescMessage, message: Message): JsonObject {
  const json = toJson(desc, message, writeOptions) as JsonObject;
  const omitted = desc.fields.filter((field) => getOption(field, omit_empty)).map(({ name }) => name);
  const isLeftOut = ([name, value]: [string, unknown]) =>
    omitted.includes(name) && Array.isArray(value) && value.length === 0;
  return Object.fromEntries(Object.entries(json).filter((member) => !isLeftOut(member)));
}

/** A client that shares no code with the server. */
function overGrpcJs(url: string): Caller {
  const client = new Client(new URL(url).host, credentials.createInsecure());
  return {
    name: "gRPC by grpc-js",
    call({ rpc, input = {}, headers = {}, unreadable }) {
      const method = rpcOf(rpc);
      const metadata = new Metadata();
      for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
      const message = toBinary(method.input, fromJson(method.input, input));
      const request = Buffer.from(unreadable === true ? [0x0a, 0x01, 0xff] : message);
      const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
      const path = `/${method.parent.typeName}/${method.name}`;
      const fail = (error: ServiceError): void => {
        const [details] = error.metadata.get("grpc-status-details-bin");
        if (details === undefined) {
          reject(error);
          return;
        }
        const code = grpcStatus[error.code] ?? "";
        resolve(fromGrpcStatus(code, error.details, Buffer.from(details as Buffer)));
      };
      const settle = (error: ServiceError | null, answer?: Buffer): void => {
        if (error !== null) fail(error);
        else if (answer === undefined) reject(new Error("The answer is empty."));
        else resolve(success(asRestWrites(method.output, fromBinary(method.output, answer))));
      };
      if (method.methodKind === "unary") {
        client.makeUnaryRequest(path, same, same, request, metadata, settle);
        return promise;
      }
      if (method.methodKind === "client_streaming") {
        client.makeClientStreamRequest(path, same, same, metadata, settle).end(request);
        return promise;
      }
      const messages: Message[] = [];
      client
        .makeServerStreamRequest(path, same, same, request, metadata)
        .on("data", (answer: Buffer) => messages.push(fromBinary(method.output, answer)))
        .on("error", fail)
        .on("end", () => resolve(success(joinMessages(method.output, messages))));
      return promise;
    },
    close: () => client.close(),
  };
}

const writeOptions = { useProtoFieldName: true, alwaysEmitImplicit: true };

/** What a stream brought, as over REST: bytes as one body, and other messages in a list. */
function joinMessages(output: DescMessage, messages: readonly Message[]): JsonObject {
  if (output.typeName === HttpBodySchema.typeName) {
    const parts = messages as readonly HttpBody[];
    const text = Buffer.concat(parts.map(({ data }) => data)).toString();
    const contentType = parts[0]?.contentType ?? "";
    return contentType === "application/x-ndjson"
      ? readRest(contentType, text).body
      : bytesOf(contentType, text);
  }
  return { messages: messages.map((message) => asRestWrites(output, message)) };
}

function bytesOf(contentType: string, text: string): JsonObject {
  return { content_type: contentType, text };
}

function same(bytes: Buffer): Buffer {
  return bytes;
}
