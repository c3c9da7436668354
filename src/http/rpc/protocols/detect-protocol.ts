import { lowerAscii } from "../../../lib/http-text.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import { connectUnary } from "./connect-unary.ts";
import { grpcUnary, grpcWebTextUnary, grpcWebUnary } from "./grpc-unary.ts";
import type { UnaryProtocol } from "./unary-protocol.ts";

// "/package.Service/Method": no REST path has a dot in the first of two segments.
const rpcPath = /^\/[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)+\/[A-Za-z0-9_]+$/;

/** The RPC protocol that a request is in; null for REST. */
export function detectProtocol(exchange: Exchange): UnaryProtocol | null {
  const given = exchange.header("content-type");
  if (given !== undefined) {
    const contentType = lowerAscii(given);
    if (contentType.startsWith("application/grpc-web-text")) return grpcWebTextUnary;
    if (contentType.startsWith("application/grpc-web")) return grpcWebUnary;
    if (contentType.startsWith("application/grpc")) return grpcUnary;
  }
  return exchange.path.includes(".") && rpcPath.test(exchange.path) ? connectUnary : null;
}
