import { Code } from "@connectrpc/connect";
import { AppError } from "../../errors/app-error.ts";
import { toRpcFailure } from "../../api/failure.ts";
import type { RpcTable, UnaryRpc } from "../../api/router.ts";
import { type OpenCall, runUnary } from "./call.ts";
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
export function createRpcGateway(table: RpcTable, openCall: OpenCall, streams: StreamHandlers): RpcGateway {
  return {
    async handle(exchange, protocol) {
      const rpc = table.byPath.get(exchange.path);
      if (rpc === undefined) throw new AppError("not_found", "There is no such RPC.");
      exchange.beginRpc(rpc.name, rpc.kind !== "unary");
      if (rpc.kind === "unary") await handleUnary(exchange, protocol, rpc, openCall);
      else await streams.handle(exchange, rpc);
    },
    fail(exchange, protocol, error) {
      // gRPC clients know a missing RPC by UNIMPLEMENTED; NOT_FOUND is for what an RPC looked for.
      const code = table.byPath.has(exchange.path) ? undefined : unknownRpcCode(error);
      const request = { authorization: exchange.header("authorization") };
      const { headers, ...reply } = protocol.fail(exchange, toRpcFailure(error, request, code));
      exchange.reply({ ...reply, headers: { "cache-control": "no-store", ...headers } });
    },
  };
}

function unknownRpcCode(error: AppError): Code | undefined {
  return error.reason === "not_found" ? Code.Unimplemented : undefined;
}

async function handleUnary(
  exchange: Exchange,
  protocol: UnaryProtocol,
  rpc: UnaryRpc,
  openCall: OpenCall,
): Promise<void> {
  const framing = protocol.open(exchange, rpc.method);
  const input = framing.parse(framing.needsBody ? await exchange.readBody() : empty);
  const call = openCall(exchange, framing.timeoutMs);
  const message = await runUnary(rpc, call, input);
  exchange.reply(framing.succeed(message, call.answerHeaders));
}
