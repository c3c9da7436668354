import type {
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
} from "@bufbuild/protobuf";
import type { Guard, MakeGuard } from "./guards/guard.ts";
import {
  guardBidiStream,
  guardClientStream,
  guardServerStream,
  guardUnary,
  type RunBidiStream,
  type RunClientStream,
  type RunServerStream,
  type RunUnary,
} from "./guards/run-guarded.ts";
import type { Handler, Handlers } from "./handler.ts";
import { type GivenRules, readMethodRules } from "./method-rules.ts";
import { rpcName } from "./rpc-name.ts";

/** One service of the table. */
export interface ServiceEntry<Service extends DescService = DescService> {
  readonly service: Service;
  readonly handlers: Handlers<Service>;
  /** The rules of RPCs of another project, whose protos cannot hold them. */
  readonly rules?: GivenRules;
}

interface RpcOf<Kind extends DescMethod["methodKind"], Method extends DescMethod, Run> {
  readonly kind: Kind;
  readonly method: Method;
  /** `package.Service/Method`. */
  readonly name: string;
  /** The RPC's guards, and its handler behind them. */
  readonly run: Run;
}

/** An RPC of the table, by what it takes and answers. */
export type UnaryRpc = RpcOf<"unary", DescMethodUnary, RunUnary>;
export type ServerStreamRpc = RpcOf<"server_streaming", DescMethodServerStreaming, RunServerStream>;
export type ClientStreamRpc = RpcOf<"client_streaming", DescMethodClientStreaming, RunClientStream>;
export type BidiStreamRpc = RpcOf<"bidi_streaming", DescMethodBiDiStreaming, RunBidiStream>;
export type Rpc = UnaryRpc | ServerStreamRpc | ClientStreamRpc | BidiStreamRpc;

/** Everything that can be called. Whatever protocol a call comes by, `run` is its way in. */
export interface RpcTable {
  readonly services: readonly DescService[];
  /** By request path: `/package.Service/Method`. */
  readonly byPath: ReadonlyMap<string, Rpc>;
  readonly byMethod: ReadonlyMap<DescMethod, Rpc>;
}

/** Ties a service to its handlers, with their types matched. */
export function serve<Service extends DescService>(
  service: Service,
  handlers: Handlers<Service>,
  rules?: GivenRules,
): ServiceEntry {
  return { service, handlers, ...(rules === undefined ? {} : { rules }) };
}

/**
 * Builds the table of RPCs.
 *
 * @param guards what every call passes, in this order
 * @throws Error if an RPC does not say who may call it or how often, or could put a secret into a URL
 */
export function createRpcTable(entries: readonly ServiceEntry[], guards: readonly MakeGuard[]): RpcTable {
  const byPath = new Map<string, Rpc>();
  const byMethod = new Map<DescMethod, Rpc>();
  for (const { service, handlers, rules: given } of entries) {
    for (const method of service.methods) {
      const rules = readMethodRules(method, given);
      const own = guards.flatMap((makeGuard) => makeGuard(method, rules) ?? []);
      const rpc = createRpc(method, own, handlers[method.localName]);
      byPath.set(`/${rpc.name}`, rpc);
      byMethod.set(method, rpc);
    }
  }
  return { services: entries.map((entry) => entry.service), byPath, byMethod };
}

/** @param handler fits the method: `serve` has seen to it */
function createRpc(method: DescMethod, guards: readonly Guard[], handler: unknown): Rpc {
  const name = rpcName(method);
  switch (method.methodKind) {
    case "unary":
      return {
        kind: "unary",
        method: method as DescMethodUnary,
        name,
        run: guardUnary(guards, method.output, handler as Handler<DescMethodUnary>),
      };
    case "server_streaming":
      return {
        kind: "server_streaming",
        method: method as DescMethodServerStreaming,
        name,
        run: guardServerStream(guards, method.output, handler as Handler<DescMethodServerStreaming>),
      };
    case "bidi_streaming":
      return {
        kind: "bidi_streaming",
        method: method as DescMethodBiDiStreaming,
        name,
        run: guardBidiStream(guards, method.output, handler as Handler<DescMethodBiDiStreaming>),
      };
    case "client_streaming":
      return {
        kind: "client_streaming",
        method: method as DescMethodClientStreaming,
        name,
        run: guardClientStream(guards, method.output, handler as Handler<DescMethodClientStreaming>),
      };
  }
}
