import type { IncomingMessage, Server, ServerOptions, ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, Server as NetServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Server as TlsServer, type TLSSocket } from "node:tls";
import type { Reason } from "../../errors/reasons.ts";
import type { Deadlines } from "../../lib/deadlines.ts";
import { createServer as createHttpServer } from "../../lib/node-http.ts";
import { quietTurn } from "../../lib/quiet-turn.ts";
import type { ConnectionMetrics } from "../../ops/metrics/connection-metrics.ts";
import type { AdmitRequest } from "../peers/admit-request.ts";
import { type CallersOf, type FindCaller, forwardedFor } from "../peers/callers.ts";
import type { Edge } from "../edge.ts";
import { Http1Wire } from "./http1-wire.ts";
import { createHttp2Sessions, type Http2Sessions } from "./http2-sessions.ts";
import { parsedHeader } from "./limits.ts";
import type { Peers } from "../peers/peers.ts";
import { boundPipelining, type Pipeline } from "./pipelining.ts";
import type { ProblemAddress } from "../rest/problem.ts";
import { peekProtocol } from "./protocol-peek.ts";
import { createAnswerUnparsable } from "./raw-error.ts";
import { type Load, shedHeaviest, unreadWeight } from "../peers/shed.ts";
import { certificateEnd, readTlsFiles, type TlsFiles, type TlsLog, watchTlsFiles } from "./tls.ts";

/** The options of the listener. Times are milliseconds. */
export interface ListenerOptions extends ProblemAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsFiles | null;
  /** Where connections come from, for a process that has no port of its own; null for one that has. */
  readonly arrivals: Arrivals | null;
  readonly headerTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  /** For the rest of a request and the sending of its answer, once that is complete. */
  readonly endings: Deadlines;
  readonly callersOf: CallersOf;
  /** The header fields of every answer that browsers need. */
  readonly securityHeaders: Readonly<Record<string, string>>;
  readonly log: TlsLog;
  readonly metrics: ConnectionMetrics;
  readonly peers: Pick<Peers, "admitConnection">;
  readonly admitRequest: AdmitRequest;
  /** Called for each request that was refused because it cannot be parsed. */
  readonly onUnparsable: (reason: Reason) => void;
  /** Called for each connection that the kernel could not hand over. */
  readonly onAcceptFailed: (error: Error) => void;
}

/** Connections that another process accepts, and hands over. From the drain on there are no more. */
export interface Arrivals {
  /** Called once; takes each connection, of which nothing was read yet. */
  begin(take: (socket: Socket) => void): void;
}

/** One port for HTTP/1.1 and HTTP/2, in plain text (by prior knowledge) or in TLS (by ALPN). */
export interface Listener {
  /** @returns the port; 0 where connections are handed over */
  listen(): Promise<{ port: number }>;
  /** Takes no more connections, and ends those there are as soon as their requests are answered. */
  drain(timeoutMs: number): Promise<void>;
  /** Closes the connections that hold most, since memory is about to end. @returns how many */
  shed(): number;
}

// Longer than load balancers keep idle connections (60 s is usual), so that they close first.
const keepAliveTimeoutMs = 75_000;
const drainPollMs = 50;
// When draining begins a request may be on its way: on a new connection, or on one that a proxy keeps.
const graceMs = 1_000;

/** What is known of connections from what they have said first. */
interface Newcomers {
  /** Those that have sent nothing yet, or too little to recognise their protocol. */
  readonly silent: Set<Socket>;
  /** Those whose first bytes did not end a line. */
  readonly inFirstLine: WeakSet<Duplex>;
  /** The HTTP/1.1 ones that have said something. */
  readonly http1: Map<Duplex, Http1Connection>;
}

/** What is known of an HTTP/1.1 connection. */
interface Http1Connection {
  readonly pipeline: Pipeline;
  readonly findCaller: FindCaller;
}

/** @param edge answers every request */
export function createListener(edge: Edge, options: ListenerOptions): Listener {
  const http2 = createHttp2Sessions(edge, options);
  const newcomers: Newcomers = { silent: new Set(), inFirstLine: new WeakSet(), http1: new Map() };
  const { silent, http1 } = newcomers;
  const server =
    options.tls === null ? plainServer(options, http2, newcomers) : tlsServer(options, http2, newcomers);
  const connections = trackConnections(server, options.metrics);
  const answerUnparsable = createAnswerUnparsable({
    address: options,
    securityHeaders: options.securityHeaders,
    log: options.log,
    inFirstLine: newcomers.inFirstLine,
    latest: (socket) => http1.get(socket)?.pipeline.latest(),
    onAnswered: options.onUnparsable,
  });
  server.keepAliveTimeout = keepAliveTimeoutMs;
  server.maxHeadersCount = parsedHeader.linesMax;
  server.on("clientError", answerUnparsable);
  for (const event of ["request", "checkContinue", "checkExpectation"] as const) {
    // An expectation is met by the answer (RFC 9110 section 10.1.1).
    server.on(event, (request: IncomingMessage, response: ServerResponse) => {
      const connection = http1.get(request.socket);
      // It has ended meanwhile.
      if (connection === undefined) return;
      connection.pipeline.begun(response);
      const caller = connection.findCaller(forwardedFor(request.headers));
      edge(
        new Http1Wire(request, response, caller, options.endings),
        options.admitRequest(caller, request.url ?? ""),
      );
    });
  }
  let stopWatching = (): void => undefined;
  return {
    async listen() {
      const port = options.arrivals === null ? await bind(server, options) : take(server, options.arrivals);
      // A connection that could not be accepted is no reason to end.
      server.on("error", (error) => options.onAcceptFailed(error));
      if (options.tls !== null && server instanceof TlsServer) {
        stopWatching = watchTlsFiles(options.tls, options.log, (context) => {
          server.setSecureContext(context);
          options.metrics.presents(certificateEnd(context.cert));
        });
      }
      return { port };
    },
    async drain(timeoutMs) {
      stopWatching();
      if (options.arrivals === null) await quietTurn();
      const closed = options.arrivals === null ? closePort(server) : allClosed(connections);
      // After the port: a peer that is sent away opens its next connection at once.
      http2.drain();
      let idling: NodeJS.Timeout | undefined;
      const quiet = setTimeout(() => {
        for (const socket of silent) socket.destroy();
        idling = setInterval(() => server.closeIdleConnections(), drainPollMs);
      }, graceMs);
      const forced = setTimeout(() => {
        options.log.info(
          { connections: connections.size },
          "connections were cut off at the end of the drain",
        );
        http2.destroy();
        for (const socket of connections) socket.destroy();
      }, timeoutMs);
      await closed;
      clearTimeout(quiet);
      clearInterval(idling);
      clearTimeout(forced);
    },
    shed: () => shedHeaviest([...http1Loads(http1), ...http2.loads()]),
  };
}

function* http1Loads(connections: Newcomers["http1"]): Generator<Load> {
  for (const [socket, { pipeline }] of connections) {
    yield {
      weight: () => pipeline.unanswered() + unreadWeight(socket),
      close: () => socket.destroy(),
    };
  }
}

async function bind(server: Server, { port, host }: ListenerOptions): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve());
  });
  return (server.address() as AddressInfo).port;
}

/** Takes what is handed over as if it had come to a port of this server. */
function take(server: Server, arrivals: Arrivals): number {
  // The time limits of Node's HTTP server begin with this event.
  server.emit("listening");
  arrivals.begin((socket) => {
    // As the sockets of its own port: who has sent all may still wait for the answer.
    socket.allowHalfOpen = true;
    server.emit("connection", socket);
  });
  return 0;
}

/**
 * Closes the port; resolves when its last connection has closed. The socket alone: the HTTP server's own `close` would
 * end idle connections at once, into the faces of proxies that are about to use them.
 */
function closePort(server: Server): Promise<void> {
  return new Promise((resolve) => {
    NetServer.prototype.close.call(server, () => resolve());
  });
}

async function allClosed(connections: ReadonlySet<Socket>): Promise<void> {
  for (const socket of connections) {
    if (!socket.destroyed) await new Promise((resolve) => socket.once("close", resolve));
  }
}

function serverOptions(options: ListenerOptions): ServerOptions {
  return {
    maxHeaderSize: parsedHeader.bytesMax,
    // Streams of nothing: most requests have no body.
    optimizeEmptyRequests: true,
    // The edge refuses a missing Host itself, with a body.
    requireHostHeader: false,
    headersTimeout: options.headerTimeoutMs,
    // The exchange ends a slow body, and an answered one, earlier: this must only not come before.
    requestTimeout: options.headerTimeoutMs + 2 * options.bodyTimeoutMs,
    connectionsCheckingInterval: Math.min(1_000, options.headerTimeoutMs),
  };
}

/** The HTTP server owns the port, so that its time limits run; each connection is looked at first. */
function plainServer(options: ListenerOptions, http2: Http2Sessions, newcomers: Newcomers): Server {
  const server = createHttpServer(serverOptions(options));
  handOver(server, "connection", (socket: Socket, toHttp1) => {
    if (!options.peers.admitConnection(socket)) return;
    whenItSpeaks(socket, options.headerTimeoutMs, newcomers, (protocol) => {
      countWhileOpen(socket, options.metrics.spoke(protocol === "h2" ? "2" : "1.1", false));
      if (protocol === "h2") http2.accept(socket);
      else serveHttp1(socket, toHttp1, newcomers, options.callersOf);
    });
  });
  return server;
}

function tlsServer(options: ListenerOptions, http2: Http2Sessions, newcomers: Newcomers): Server {
  if (options.tls === null) throw new Error("there is no certificate to serve TLS with");
  const context = readTlsFiles(options.tls);
  options.metrics.presents(certificateEnd(context.cert));
  const server = createHttpsServer({
    ...serverOptions(options),
    ...context,
    ALPNProtocols: ["h2", "http/1.1"],
    handshakeTimeout: options.headerTimeoutMs,
  });
  handOver(server, "connection", (socket: Socket, toTls) => {
    if (options.peers.admitConnection(socket)) toTls(socket);
  });
  handOver(server, "secureConnection", (socket: TLSSocket, toHttp1) => {
    const isHttp2 = socket.alpnProtocol === "h2";
    countWhileOpen(socket, options.metrics.spoke(isHttp2 ? "2" : "1.1", true));
    const serve = (): void => serveHttp1(socket, toHttp1, newcomers, options.callersOf);
    if (isHttp2) http2.accept(socket);
    else whenItSpeaks(socket, options.headerTimeoutMs, newcomers, serve);
  });
  return server;
}

function serveHttp1<S extends Socket>(
  socket: S,
  toHttp1: (socket: S) => void,
  { http1 }: Newcomers,
  callersOf: CallersOf,
): void {
  toHttp1(socket);
  const findCaller = callersOf(socket.remoteAddress ?? "");
  http1.set(socket, { pipeline: boundPipelining(socket), findCaller });
  socket.once("close", () => http1.delete(socket));
}

/** Keeps a connection among the silent ones until it has said what it speaks. */
function whenItSpeaks(
  socket: Socket,
  timeoutMs: number,
  { silent, inFirstLine }: Newcomers,
  decide: (protocol: "h1" | "h2") => void,
): void {
  silent.add(socket);
  socket.once("close", () => silent.delete(socket));
  peekProtocol(socket, timeoutMs, (protocol, firstBytes) => {
    silent.delete(socket);
    if (!firstBytes.includes("\n")) inFirstLine.add(socket);
    decide(protocol);
  });
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
function trackConnections(server: Server, metrics: ConnectionMetrics): ReadonlySet<Socket> {
  const connections = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    if (socket.destroyed) return;
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
    countWhileOpen(socket, metrics.opened());
  });
  return connections;
}

function countWhileOpen(socket: Socket, closed: () => void): void {
  if (socket.destroyed) closed();
  else socket.once("close", closed);
}

function ignore(): void {
  // A connection that breaks is closed, and the close is what counts.
}
