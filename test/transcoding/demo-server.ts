import { BlockList } from "node:net";
import { Writable } from "node:stream";
import { create } from "@bufbuild/protobuf";
import { AppError } from "../../src/errors/app-error.ts";
import { type Reason, reasons } from "../../src/errors/reasons.ts";
import { AccessSchema, LimitSchema } from "../../src/gen/countersign/v1/options_pb.ts";
import { HttpBodySchema } from "../../src/gen/google/api/httpbody_pb.ts";
import { createHealth } from "../../src/ops/health.ts";
import { createLogger } from "../../src/ops/logger.ts";
import { createConnectionMetrics } from "../../src/ops/metrics/connection-metrics.ts";
import { createMetrics } from "../../src/ops/metrics/metrics.ts";
import { createPeerMetrics } from "../../src/ops/metrics/peer-metrics.ts";
import { createRequestMetrics } from "../../src/ops/metrics/request-metrics.ts";
import { cacheControl } from "../../src/api/guards/cache-control.ts";
import type { Call } from "../../src/api/call.ts";
import { validate } from "../../src/api/guards/validate.ts";
import type { Handlers } from "../../src/api/handler.ts";
import { createRpcTable, serve } from "../../src/api/router.ts";
import { createPublicListener } from "../../src/http/public-listener.ts";
import { freePort } from "../_harness/ports.ts";
import { BookSchema, LibraryService, type WatchRequest } from "./gen/demo_pb.ts";

/** What the streams of the library have done. */
export interface StreamCounts {
  /** Streams whose RPC runs now. */
  running: number;
  /** Messages that the RPCs were asked for. */
  made: number;
}

/** The library behind the listener of the service: another service's use of the transcoder. */
export interface DemoServer {
  readonly url: string;
  readonly port: number;
  readonly streams: StreamCounts;
  logs(): Record<string, unknown>[];
  drain(timeoutMs: number): Promise<void>;
}

/** Starts it on a free port, in this process. */
export async function startDemoServer(): Promise<DemoServer> {
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const { registry } = createMetrics();
  const log = createLogger("info", false, destination);
  const health = createHealth({ checks: [], log });
  const streams = { running: 0, made: 0 };
  const anyone = {
    access: create(AccessSchema, { rule: { case: "anyone", value: true } }),
    limit: create(LimitSchema, { rule: { case: "none", value: "A demo." } }),
  };
  const port = await freePort();
  const listener = createPublicListener({
    config: {
      host: "127.0.0.1",
      port,
      restUrl: "http://library.test",
      issuer: "http://library.test",
      basePath: "",
      tls: null,
      trustedProxies: new BlockList(),
      corsOrigins: [],
      authModeHeader: "X-Auth-Mode",
      requestTimeoutMs: 2_000,
      headerTimeoutMs: 2_000,
      bodyTimeoutMs: 2_000,
      connectionsMax: 1_000,
      requestsMax: 1_000,
      streamsMax: 1_000,
      streamAgeMaxMs: 60_000,
    },
    table: createRpcTable([serve(LibraryService, createLibrary(streams), anyone)], [cacheControl, validate]),
    site: new Map(),
    health,
    log,
    requestMetrics: createRequestMetrics(registry),
    connectionMetrics: createConnectionMetrics(registry),
    peerMetrics: createPeerMetrics(registry),
    isMemoryScarce: () => false,
    descriptorsMax: Number.POSITIVE_INFINITY,
    arrivals: null,
  });
  await listener.listen();
  health.setPhase("serving");
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    streams,
    logs: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    drain(timeoutMs) {
      health.setPhase("draining");
      return listener.drain(timeoutMs);
    },
  };
}

function createLibrary(streams: StreamCounts): Handlers<typeof LibraryService> {
  const nothing = () => ({});
  const books = (request: WatchRequest, call: Call) =>
    stream(streams, request, call, (index) =>
      create(BookSchema, { id: String(index), title: "x".repeat(request.length) }),
    );
  return {
    getBook: ({ id }) => ({ id }),
    getRandomBook: nothing,
    searchBooks: ({ pageSize }) => ({ books: Array.from({ length: Math.min(pageSize, 9) }, nothing) }),
    listTitles: nothing,
    createBook: (book) => book,
    updateBook: ({ book }) => book ?? {},
    replaceBook: ({ book }) => book ?? {},
    tagBook: nothing,
    deleteBook: nothing,
    undeleteFile: (request) => request,
    getFile: (request) => request,
    getResource: (request) => request,
    getEdition: (request) => request,
    signIn: nothing,
    purge: nothing,
    watchBooks: books,
    watchTitles: books,
    copy: (body) => body,
    putCover: (request) => request,
    getCover: ({ id }) => ({
      image: create(HttpBodySchema, { contentType: "image/png", data: Buffer.from(id) }),
    }),
    export: (request, call) =>
      stream(streams, request, call, (index) =>
        create(HttpBodySchema, {
          contentType: index === 0 ? "text/csv" : "",
          data: Buffer.from(`${index},${"x".repeat(request.length)}\n`),
        }),
      ),
    wrap: (parcel) => parcel,
    internal: nothing,
  };
}

/** So many messages, and then what the request says. */
async function* stream<T>(
  streams: StreamCounts,
  { count, failure, open }: WatchRequest,
  { signal }: Call,
  make: (index: number) => T,
): AsyncGenerator<T> {
  streams.running += 1;
  try {
    for (let index = 0; index < count; index += 1) {
      streams.made += 1;
      yield make(index);
    }
    if (open) await aborted(signal);
    if (failure === "mistake") throw new Error("hidden");
    if (isReason(failure)) throw new AppError(failure, "The library is closed.");
  } finally {
    streams.running -= 1;
  }
}

function isReason(text: string): text is Reason {
  return Object.hasOwn(reasons, text);
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
