import type { DescMethodUnary, Message } from "@bufbuild/protobuf";
import type { RpcFailure } from "../../../api/failure.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import type { Reply } from "../../exchange/reply.ts";

/** What a protocol reads from a request before its message, and how it answers. */
export interface UnaryFraming {
  /** The caller's own deadline, in milliseconds. */
  readonly timeoutMs: number | undefined;
  /** Whether the message travels in the body (it does not with Connect's GET). */
  readonly needsBody: boolean;
  /** The request message. Throws where the bytes are none. */
  parse(body: Uint8Array): Message;
  /** The answer. @param headers what the RPC adds to it */
  succeed(message: Message, headers: Readonly<Record<string, string>>): Reply;
}

/** How one RPC protocol frames a unary call. */
export interface UnaryProtocol {
  readonly name: "grpc" | "grpc-web" | "connect";
  /** @throws AppError if the header is not one of this protocol */
  open(exchange: Exchange, method: DescMethodUnary): UnaryFraming;
  /** Any failure, also of requests that could not be opened. */
  fail(exchange: Exchange, failure: RpcFailure): Reply;
}
