import type { DescMethodUnary, Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { Exchange } from "../../exchange/exchange.ts";
import type { Reply } from "../../exchange/reply.ts";

/** What a protocol reads from a request before its message. */
export interface OpenCall {
  /** The caller's own deadline, in milliseconds. */
  readonly timeoutMs: number | undefined;
  /** Whether the message travels in the body (it does not with Connect's GET). */
  readonly needsBody: boolean;
  /** The request message. Throws where the bytes are none. */
  parse(body: Uint8Array): Message;
  /** The answer. */
  succeed(message: Message, header: Headers, trailer: Headers): Reply;
}

/** How one RPC protocol frames a unary call. */
export interface UnaryProtocol {
  readonly name: "grpc" | "grpc-web" | "connect";
  /** @throws AppError if the header is not one of this protocol */
  open(exchange: Exchange, method: DescMethodUnary): OpenCall;
  /** Any failure, also of requests that could not be opened. */
  fail(exchange: Exchange, error: ConnectError): Reply;
}
