import type { Health } from "../ops/health.ts";
import type { Log } from "../ops/logger.ts";
import type { RpcTable } from "../rpc/router.ts";
import { createCallUnary } from "./call.ts";
import { createEdge } from "./edge.ts";
import { messageBytesMax } from "./limits.ts";
import { createListener, type Listener } from "./listener.ts";
import { createLogRequest } from "./log-request.ts";
import { createRestGateway } from "./rest-gateway.ts";
import { createRpcGateway } from "./rpc-gateway.ts";
import { createStreamHandlers } from "./streams.ts";
import type { TlsFiles } from "./tls.ts";
import type { BlockList } from "node:net";

/** The part of the configuration that the public port is built from. */
export interface PublicListenerConfig {
  readonly host: string;
  readonly port: number;
  /** What REST paths are appended to in links. */
  readonly restUrl: string;
  readonly basePath: string;
  readonly tls: TlsFiles | null;
  readonly trustedProxies: BlockList;
  readonly requestTimeoutMs: number;
  readonly headerTimeoutMs: number;
  readonly bodyTimeoutMs: number;
}

/** Builds the public port: the listener, the edge, and the ways in behind it. */
export function createPublicListener(deps: {
  readonly config: PublicListenerConfig;
  readonly table: RpcTable;
  readonly health: Health;
  readonly log: Log;
}): Listener {
  const { config, table, health, log } = deps;
  const { basePath, bodyTimeoutMs, restUrl, trustedProxies } = config;
  const draining = new AbortController();
  const callUnary = createCallUnary(table, config.requestTimeoutMs);
  const edge = createEdge({
    rpc: createRpcGateway(table, callUnary, createStreamHandlers(table, draining.signal)),
    rest: createRestGateway(table, callUnary, { basePath, restUrl }),
    health,
    basePath,
    exchange: {
      bodyBytesMax: messageBytesMax,
      bodyTimeoutMs,
      trustedProxies,
      // From the first moment on: who is asked to come again meanwhile goes elsewhere.
      isDraining: () => health.readyz().phase === "draining",
    },
    logRequest: createLogRequest(log),
  });
  const listener = createListener(edge, { ...config, log });
  return {
    listen: () => listener.listen(),
    drain(timeoutMs) {
      draining.abort();
      return listener.drain(timeoutMs);
    },
  };
}
