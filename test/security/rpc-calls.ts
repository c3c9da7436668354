import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from "node:http2";
import { gzipSync } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import { errorFromJsonBytes } from "@connectrpc/connect/protocol-connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { trailerParse } from "@connectrpc/connect/protocol-grpc-web";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";

/** The path of the login. */
export const loginPath = "/countersign.v1.AuthService/Login";

/** How an RPC ended, whatever protocol it came by. */
export interface RpcOutcome {
  readonly httpStatus: number;
  /** The name of its gRPC code, such as InvalidArgument; `Ok` for a success. */
  readonly code: string;
  /** The reason of google.rpc.ErrorInfo. */
  readonly reason: string | undefined;
  /** All that came, as text: to look for what must not be in it. */
  readonly text: string;
}

/** What is sent. */
export interface RpcRequest {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A message with gRPC's prefix. */
export function envelope(message: Uint8Array, flags = 0, length = message.byteLength): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

/** A message of string fields in the protobuf wire format; the values may be any bytes. */
export function protobuf(fields: readonly (readonly [number: number, value: string | Uint8Array])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([number, value]) => {
      const bytes = Buffer.from(value as string);
      return [varint((number << 3) | 2), varint(bytes.byteLength), bytes];
    }),
  );
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

/** A gzip of as many zeros. */
export function bomb(bytes: number): Buffer {
  return gzipSync(Buffer.alloc(bytes));
}

/** What a stream of HTTP/2 came to. */
export interface StreamOutcome {
  readonly headers: IncomingHttpHeaders & { ":status"?: number };
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The code of its end (RFC 9113 section 7). */
  readonly code: number;
}

/** Sends a request over HTTP/2. `send` writes the body, and may leave it open. */
export async function http2Request(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array | "open" = new Uint8Array(0),
  first: Uint8Array = new Uint8Array(0),
): Promise<StreamOutcome> {
  const stream = session.request(headers, { endStream: body !== "open" && body.byteLength === 0 });
  const chunks: Buffer[] = [];
  let answer: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  stream.on("response", (fields: IncomingHttpHeaders) => (answer = fields));
  stream.on("trailers", (fields: IncomingHttpHeaders) => (trailers = fields));
  stream.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", () => undefined);
  if (body === "open") stream.write(first);
  else if (body.byteLength > 0) stream.end(body);
  await new Promise((resolve) => stream.once("close", resolve));
  return { headers: answer, trailers, body: Buffer.concat(chunks), code: stream.rstCode };
}

/** Runs something over an HTTP/2 session of its own. */
export async function withHttp2<T>(
  url: string,
  run: (session: ClientHttp2Session) => Promise<T>,
): Promise<T> {
  const session = connect(url);
  session.on("error", () => undefined);
  try {
    return await run(session);
  } finally {
    session.destroy();
  }
}

/** Calls over gRPC. */
export async function callGrpc(
  url: string,
  { path = loginPath, headers = {}, body }: RpcRequest,
): Promise<RpcOutcome> {
  return withHttp2(url, async (session) => {
    const all = {
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    };
    const outcome = await http2Request(session, all, body);
    return grpcOutcome(outcome);
  });
}

/** Reads a gRPC answer. */
export function grpcOutcome({ headers, trailers, body }: StreamOutcome): RpcOutcome {
  const fields = new Headers({ ...plain(headers), ...plain(trailers) });
  const error = findTrailerError(fields);
  const text = `${JSON.stringify([headers, trailers])}${body.toString("latin1")}${decodeURIComponent(fields.get("grpc-message") ?? "")}`;
  return { httpStatus: Number(headers[":status"]), ...describe(error, fields.has("grpc-status")), text };
}

/** Calls over gRPC-Web. */
export async function callGrpcWeb(
  url: string,
  { path = loginPath, headers = {}, body }: RpcRequest,
): Promise<RpcOutcome> {
  const answer = await fetch(url + path, {
    method: "POST",
    headers: { "content-type": "application/grpc-web+proto", ...headers },
    body: body as NonNullable<RequestInit["body"]>,
  });
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const trailer = trailerParse(bytes.subarray(5 + lengthBefore(bytes)));
  const text = `${JSON.stringify([...answer.headers])}${Buffer.from(bytes).toString("latin1")}`;
  return {
    httpStatus: answer.status,
    ...describe(findTrailerError(trailer), trailer.has("grpc-status")),
    text,
  };
}

/** The bytes before the content of the last envelope, which holds the trailers. */
function lengthBefore(bytes: Uint8Array): number {
  const view = Buffer.from(bytes);
  return (view[0] ?? 0) & 0x80 ? 0 : 5 + view.readUInt32BE(1);
}

/** Calls over Connect. */
export async function callConnect(
  url: string,
  { path = loginPath, headers = {}, body }: RpcRequest,
  method = "POST",
): Promise<RpcOutcome> {
  const answer = await fetch(url + path, {
    method,
    headers: { "content-type": "application/json", ...headers },
    ...(method === "POST" ? { body: body as NonNullable<RequestInit["body"]> } : {}),
  });
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const error = answer.ok
    ? undefined
    : errorFromJsonBytes(bytes, undefined, new ConnectError("not a Connect error", Code.Unknown));
  const text = `${JSON.stringify([...answer.headers])}${Buffer.from(bytes).toString("utf8")}`;
  return { httpStatus: answer.status, ...describe(error, answer.ok), text };
}

function describe(
  error: ConnectError | undefined,
  isComplete: boolean,
): { code: string; reason: string | undefined } {
  if (error === undefined) return { code: isComplete ? "Ok" : "none", reason: undefined };
  return { code: Code[error.code], reason: error.findDetails(ErrorInfoSchema)[0]?.reason };
}

function plain(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !name.startsWith(":"))
      .map(([name, value]) => [name, String(value)]),
  );
}
