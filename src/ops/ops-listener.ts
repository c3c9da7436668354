import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "../lib/node-http.ts";
import type { Metrics } from "./metrics/metrics.ts";
import { probe, type ProbedHealth } from "./probes.ts";

/** The part of a logger that the listener uses. */
export interface OpsLog {
  error(fields: Record<string, unknown>, message: string): void;
}

/** What the listener is built from. */
export interface OpsListenerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly health: ProbedHealth;
  readonly metrics: Pick<Metrics, "read">;
  readonly log: OpsLog;
}

/** The private listener. */
export interface OpsListener {
  /** Resolves with the port once connections are accepted; rejects if the address cannot be bound. */
  listen(): Promise<{ readonly port: number }>;
  /** Stops listening, and resolves when the last connection has gone: at most 500 ms later. */
  close(): Promise<void>;
}

interface OpsAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly cacheControl: string;
  readonly body: string;
}

type OpsHandler = (query: string) => OpsAnswer | null | Promise<OpsAnswer | null>;

const closeGraceMs = 500;

const notFound: OpsAnswer = plain(404, "not found\n");
const methodNotAllowed: OpsAnswer = plain(405, "method not allowed\n");
const internal: OpsAnswer = plain(500, "internal error\n");

/**
 * Creates the listener for operators: the metrics, the four probes in detail, and 404 for the rest.
 *
 * Keep it private: its answers hold no secrets, but internal details. It takes GET and HEAD, 64 connections at a time,
 * and 8 KiB of headers; a request has 5 s to arrive.
 */
export function createOpsListener(options: OpsListenerOptions): OpsListener {
  const { host, port, health, metrics, log } = options;
  const handlers = new Map<string, OpsHandler>(
    ["/livez", "/readyz", "/startupz", "/healthz"].map((path) => [
      path,
      (query) => probe(health, path, query, { detail: true }),
    ]),
  );
  handlers.set("/metrics", async () => ({
    status: 200,
    cacheControl: "no-store",
    ...(await metrics.read()),
  }));
  const server = createServer(
    {
      maxHeaderSize: 8 * 1024,
      headersTimeout: 5000,
      requestTimeout: 5000,
      keepAliveTimeout: 30_000,
      connectionsCheckingInterval: 1000,
    },
    (request, response) => {
      void answerRequest(handlers, log, request, response);
    },
  );
  server.maxConnections = 64;
  server.timeout = 60_000;

  return {
    async listen() {
      server.listen(port, host);
      await once(server, "listening");
      server.on("error", (error) => log.error({ err: error }, "the ops listener failed"));
      return { port: boundPort(server) };
    },
    close: () => close(server),
  };
}

async function answerRequest(
  handlers: ReadonlyMap<string, OpsHandler>,
  log: OpsLog,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const answer = await route(handlers, request).catch((error: unknown) => {
    log.error({ err: error }, "an ops handler failed");
    return internal;
  });
  send(request, response, answer);
}

async function route(
  handlers: ReadonlyMap<string, OpsHandler>,
  request: IncomingMessage,
): Promise<OpsAnswer> {
  const [path, query] = splitTarget(request.url ?? "");
  const handler = handlers.get(path);
  if (handler === undefined) {
    return notFound;
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    return methodNotAllowed;
  }
  return (await handler(query)) ?? notFound;
}

function splitTarget(target: string): readonly [string, string] {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  return [path.endsWith("/") ? path.slice(0, -1) : path, mark < 0 ? "" : target.slice(mark + 1)];
}

function send(request: IncomingMessage, response: ServerResponse, answer: OpsAnswer): void {
  response.writeHead(answer.status, {
    "Content-Type": answer.contentType,
    "Content-Length": Buffer.byteLength(answer.body),
    "Cache-Control": answer.cacheControl,
    "X-Content-Type-Options": "nosniff",
    ...(answer.status === 405 ? { Allow: "GET, HEAD" } : {}),
    // This listener does not read bodies, so a connection with one is not reused.
    ...(hasBody(request) ? { Connection: "close" } : {}),
  });
  response.end(answer.body);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}

async function close(server: Server): Promise<void> {
  if (!server.listening) {
    return;
  }
  const cutOff = setTimeout(() => server.closeAllConnections(), closeGraceMs);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  clearTimeout(cutOff);
}

function boundPort(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("The ops listener has no TCP port.");
  }
  return address.port;
}

function plain(status: number, body: string): OpsAnswer {
  return { status, contentType: "text/plain; charset=utf-8", cacheControl: "no-store", body };
}
