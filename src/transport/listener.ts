import { randomUUID } from "node:crypto";
import { createServer as createHttpServer, type Server, type ServerOptions } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { Server as TlsServer, type TLSSocket } from "node:tls";
import type { Edge } from "./edge.ts";
import { createHttp2Sessions } from "./http2-sessions.ts";
import type { ProblemAddress } from "./problem.ts";
import { peekProtocol } from "./protocol-peek.ts";
import { answerUnparsable } from "./raw-error.ts";
import { readTlsFiles, type TlsFiles, type TlsLog, watchTlsFiles } from "./tls.ts";

/** What the listener is told. Times are milliseconds. */
export interface ListenerOptions extends ProblemAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsFiles | null;
  readonly headerTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly log: TlsLog;
}

/** One port for HTTP/1.1 and HTTP/2, in plain text (by prior knowledge) or in TLS (by ALPN). */
export interface Listener {
  listen(): Promise<{ port: number }>;
  /** Takes no more connections, and ends those there are as soon as their requests are answered. */
  drain(timeoutMs: number): Promise<void>;
}

const headerBytesMax = 32_768;
// Longer than load balancers keep idle connections (60 s is usual), so that they close first.
const keepAliveTimeoutMs = 75_000;
const drainPollMs = 50;

/** @param edge answers every request */
export function createListener(edge: Edge, options: ListenerOptions): Listener {
  const http2 = createHttp2Sessions(edge, options.headerTimeoutMs);
  const server =
    options.tls === null ? plainServer(edge, options, http2.server) : tlsServer(edge, options, http2.server);
  const connections = trackConnections(server);
  server.keepAliveTimeout = keepAliveTimeoutMs;
  server.on("clientError", (error: Error, socket) => answerUnparsable(error, socket, randomUUID(), options));
  let stopWatching = (): void => undefined;
  return {
    async listen() {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(options.port, options.host, () => resolve());
      });
      if (options.tls !== null && server instanceof TlsServer) {
        stopWatching = watchTlsFiles(options.tls, options.log, (context) => server.setSecureContext(context));
      }
      return { port: (server.address() as AddressInfo).port };
    },
    async drain(timeoutMs) {
      stopWatching();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      http2.drain();
      const idling = setInterval(() => server.closeIdleConnections(), drainPollMs);
      const forced = setTimeout(() => {
        http2.destroy();
        for (const socket of connections) socket.destroy();
      }, timeoutMs);
      await closed;
      clearInterval(idling);
      clearTimeout(forced);
    },
  };
}

function serverOptions(options: ListenerOptions): ServerOptions {
  return {
    maxHeaderSize: headerBytesMax,
    // The edge refuses a missing Host itself, with a body.
    requireHostHeader: false,
    headersTimeout: options.headerTimeoutMs,
    // The edge ends a slow body earlier and with a body; this is for what it does not read.
    requestTimeout: options.headerTimeoutMs + 2 * options.bodyTimeoutMs,
    connectionsCheckingInterval: Math.min(1_000, options.headerTimeoutMs),
  };
}

/** The HTTP server owns the port, so that its time limits run; each connection is looked at first. */
function plainServer(edge: Edge, options: ListenerOptions, http2: NodeJS.EventEmitter): Server {
  const server = createHttpServer(serverOptions(options), edge);
  handOver(server, "connection", (socket: Socket, toHttp1) => {
    peekProtocol(socket, options.headerTimeoutMs, (protocol) => {
      if (protocol === "h2") http2.emit("connection", socket);
      else toHttp1(socket);
    });
  });
  return server;
}

function tlsServer(edge: Edge, options: ListenerOptions, http2: NodeJS.EventEmitter): Server {
  if (options.tls === null) throw new Error("there is no certificate to serve TLS with");
  const server = createHttpsServer(
    {
      ...serverOptions(options),
      ...readTlsFiles(options.tls),
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: options.headerTimeoutMs,
    },
    edge,
  );
  handOver(server, "secureConnection", (socket: TLSSocket, toHttp1) => {
    if (socket.alpnProtocol === "h2") http2.emit("connection", socket);
    else toHttp1(socket);
  });
  return server;
}

/** Puts a decision before the server's own handling of new connections. */
function handOver<S extends Socket>(
  server: Server,
  event: "connection" | "secureConnection",
  decide: (socket: S, toHttp1: (socket: S) => void) => void,
): void {
  const original = server.listeners(event) as ((socket: S) => void)[];
  server.removeAllListeners(event);
  server.on(event, (socket: S) => {
    socket.on("error", ignore);
    decide(socket, (handed) => {
      for (const listener of original) listener.call(server, handed);
    });
  });
}

/** The connections that are open, whichever HTTP version they speak or have yet to say. */
function trackConnections(server: Server): ReadonlySet<Socket> {
  const connections = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
  });
  return connections;
}

function ignore(): void {
  // A connection that breaks is closed, and the close is what counts.
}
