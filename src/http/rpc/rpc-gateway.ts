import type { MethodImplSpec } from "@connectrpc/connect";
import { Code } from "@connectrpc/connect";
import { AppError } from "../../errors/app-error.ts";
import { toConnectError } from "../../api/failure.ts";
import type { RpcTable } from "../../api/router.ts";
import type { CallUnary, UnarySpec } from "./call.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { UnaryProtocol } from "./protocols/unary-protocol.ts";
import type { StreamHandlers } from "./streams.ts";

/** The way in for gRPC, gRPC-Web and Connect. */
export interface RpcGateway {
  /** @throws what the call throws; `fail` answers it */
  handle(exchange: Exchange, protocol: UnaryProtocol): Promise<void>;
  fail(exchange: Exchange, protocol: UnaryProtocol, error: AppError): void;
}

const empty = new Uint8Array(0);

/** @param streams answers what is not unary */
export function createRpcGateway(table: RpcTable, callUnary: CallUnary, streams: StreamHandlers): RpcGateway {
  return {
    async handle(exchange, protocol) {
      const spec = table.byPath.get(exchange.path);
      if (spec === undefined) throw new AppError("not_found", "There is no such RPC.");
      exchange.beginRpc(exchange.path.slice(1), spec.kind !== "unary");
      if (isUnarySpec(spec)) await handleUnary(exchange, protocol, spec, callUnary);
      else await streams.handle(exchange, spec);
    },
    fail(exchange, protocol, error) {
      // gRPC clients know a missing RPC by UNIMPLEMENTED; NOT_FOUND is for what an RPC looked for.
      const code = table.byPath.has(exchange.path) ? undefined : unknownRpcCode(error);
      const request = { authorization: exchange.header("authorization") };
      const { headers, ...reply } = protocol.fail(exchange, toConnectError(error, request, code));
      exchange.reply({ ...reply, headers: { "cache-control": "no-store", ...headers } });
    },
  };
}

function unknownRpcCode(error: AppError): Code | undefined {
  return error.reason === "not_found" ? Code.Unimplemented : undefined;
}

function isUnarySpec(spec: MethodImplSpec): spec is UnarySpec {
  return spec.kind === "unary";
}

async function handleUnary(
  exchange: Exchange,
  protocol: UnaryProtocol,
  spec: UnarySpec,
  callUnary: CallUnary,
): Promise<void> {
  const call = protocol.open(exchange, spec.method);
  const input = call.parse(call.needsBody ? await exchange.readBody() : empty);
  const caller = { protocol: protocol.name, timeoutMs: call.timeoutMs };
  const { message, header, trailer } = await callUnary(exchange, spec, input, caller);
  exchange.reply(call.succeed(message, header, trailer));
}
