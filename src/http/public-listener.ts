import { AppError } from "../errors/app-error.ts";
import { createDeadlines } from "../lib/deadlines.ts";
import type { Site } from "../lib/site.ts";
import type { Health } from "../ops/health.ts";
import type { Log } from "../ops/logger.ts";
import type { ConnectionMetrics } from "../ops/metrics/connection-metrics.ts";
import type { PeerMetrics } from "../ops/metrics/peer-metrics.ts";
import type { RequestMetrics } from "../ops/metrics/request-metrics.ts";
import type { RpcTable } from "../api/router.ts";
import { createAdmitRequest } from "./peers/admit-request.ts";
import { createCallersOf } from "./peers/callers.ts";
import { createOpenCall, createStreamCalls } from "./rpc/call.ts";
import { createCors } from "./exchange/cors.ts";
import { createEdge } from "./edge.ts";
import { messageBytesMax } from "./connection/limits.ts";
import { type Arrivals, createListener, type Listener } from "./connection/listener.ts";
import { createPages } from "./web/pages.ts";
import { createPeers } from "./peers/peers.ts";
import { createRecordRequest } from "./exchange/record-request.ts";
import { createRefusalLog } from "./peers/refusals.ts";
import { createRestGateway } from "./rest/rest-gateway.ts";
import { createRpcGateway } from "./rpc/rpc-gateway.ts";
import { createLeaseStream } from "./peers/stream-lease.ts";
import { createStreamHandlers } from "./rpc/streams.ts";
import type { TlsFiles } from "./connection/tls.ts";
import type { BlockList } from "node:net";

/** The part of the configuration that the public port is built from. */
export interface PublicListenerConfig {
  readonly host: string;
  readonly port: number;
  /** What REST paths are appended to in links. */
  readonly restUrl: string;
  readonly issuer: string;
  readonly basePath: string;
  readonly tls: TlsFiles | null;
  readonly trustedProxies: BlockList;
  readonly corsOrigins: readonly string[] | "*";
  readonly authModeHeader: string;
  readonly requestTimeoutMs: number;
  readonly headerTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  /** The most that all callers together can hold; one address may hold a quarter. */
  readonly connectionsMax: number;
  readonly requestsMax: number;
  readonly streamsMax: number;
  readonly streamAgeMaxMs: number;
}

/** Builds the public port: the listener, the edge, and the ways in behind it. */
export function createPublicListener(deps: {
  readonly config: PublicListenerConfig;
  readonly table: RpcTable;
  /** What is served beside the RPCs. */
  readonly site: Site;
  readonly health: Health;
  readonly log: Log;
  readonly requestMetrics: RequestMetrics;
  readonly connectionMetrics: ConnectionMetrics;
  readonly peerMetrics: PeerMetrics;
  /** Whether callers must hold less than usual. */
  readonly isMemoryScarce: () => boolean;
  /** How many connections the process has descriptors for. */
  readonly descriptorsMax: number;
  /** Where connections come from, for a process that has no port of its own; null for one that has. */
  readonly arrivals: Arrivals | null;
}): Listener {
  const { config, table, site, health, log, requestMetrics, connectionMetrics, peerMetrics } = deps;
  const { basePath, bodyTimeoutMs, issuer, restUrl } = config;
  const bodyDeadlines = createDeadlines(bodyTimeoutMs);
  const cors = createCors({ origins: config.corsOrigins, requestHeaders: [config.authModeHeader] });
  const securityHeaders = securityHeadersOf(issuer);
  const draining = new AbortController();
  const refusals = createRefusalLog(log);
  const peers = createPeers({ ...config, ...deps, metrics: peerMetrics, log: refusals });
  const lease = createLeaseStream(peers, config.streamAgeMaxMs);
  const openCall = createOpenCall(config.requestTimeoutMs);
  const edge = createEdge({
    rpc: createRpcGateway(
      table,
      openCall,
      createStreamHandlers(table, draining.signal, { lease, writeTimeoutMs: bodyTimeoutMs }),
    ),
    rest: createRestGateway(
      table,
      { open: openCall, lease, ...createStreamCalls(draining.signal) },
      { basePath, issuer, restUrl, bodyTimeoutMs },
    ),
    health,
    cors,
    pages: createPages(site),
    exchange: {
      cors,
      securityHeaders,
      metrics: requestMetrics,
      bodyBytesMax: messageBytesMax,
      bodyArrivals: bodyDeadlines,
      // From the first moment of a drain on, so that clients that reconnect go to another instance.
      isDraining: () => health.phase() === "draining",
    },
    recordRequest: createRecordRequest(log, requestMetrics),
  });
  const listener = createListener(edge, {
    ...config,
    arrivals: deps.arrivals,
    securityHeaders,
    log,
    metrics: connectionMetrics,
    peers,
    admitRequest: createAdmitRequest(peers),
    endings: bodyDeadlines,
    callersOf: createCallersOf(config.trustedProxies),
    onUnparsable: (reason) => requestMetrics.countOther(reason),
    onAcceptFailed() {
      peerMetrics.onRefused("connection", "descriptors");
      refusals.note("connection", "descriptors", "");
    },
  });
  return {
    listen: () => listener.listen(),
    drain(timeoutMs) {
      draining.abort(new AppError("unavailable", "The server is shutting down."));
      return listener.drain(timeoutMs);
    },
    shed() {
      const closed = listener.shed();
      for (let index = 0; index < closed; index += 1) peerMetrics.onEvicted("connection", "memory");
      if (closed > 0) refusals.note("connection", "memory", "");
      return closed;
    },
  };
}

/** For answers that are no pages; a page says more itself. */
function securityHeadersOf(issuer: string): Record<string, string> {
  return {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    // RFC 6797: only what is reached by https says so.
    ...(issuer.startsWith("https:") ? { "strict-transport-security": "max-age=31536000" } : {}),
  };
}
