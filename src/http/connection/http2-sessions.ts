import { randomBytes } from "node:crypto";
import {
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import { AppError } from "../../errors/app-error.ts";
import type { Deadlines } from "../../lib/deadlines.ts";
import type { AdmitRequest } from "../peers/admit-request.ts";
import { type CallersOf, forwardedFor } from "../peers/callers.ts";
import type { Edge } from "../edge.ts";
import { Http2Wire } from "./http2-wire.ts";
import { parsedHeader } from "./limits.ts";
import { type Load, unreadWeight } from "../peers/shed.ts";
import { createTurns } from "./turns.ts";

const concurrentStreamsMax = 128;
/** Of one session, so that a packet full of requests keeps nobody waiting for long. */
const requestsAtOnce = 16;
const sessionMemoryMib = 10;
const idleTimeoutMs = 120_000;
const pingPeriodMs = 30_000;
const pingTimeoutMs = 20_000;
const sessionAgeMaxMs = 3_600_000;
// How long a peer may take to learn that its session ends, before streams that it opens are refused.
const noticeMs = 1_000;
/**
 * GOAWAY (RFC 9113 section 6.8) that names no last stream, written past the session: once nghttp2 itself has sent a
 * GOAWAY, whichever stream that names, it ignores every stream that the peer opens.
 */
const shutdownNotice = Buffer.from("000008 07 00 00000000 7fffffff 00000000".replaceAll(" ", ""), "hex");

/** The HTTP/2 side of the listener. It is handed connections; it opens no port. */
export interface Http2Sessions {
  /** Serves a connection on which nothing has been read yet, or everything was put back. */
  accept(socket: Socket): void;
  /** Tells every peer to open no more streams, and ends each session with its last stream. */
  drain(): void;
  /** Ends what is left at once. */
  destroy(): void;
  /** What each session holds. */
  loads(): Iterable<Load>;
}

/** A session on its connection. */
interface Connection {
  readonly session: ServerHttp2Session;
  readonly socket: Socket;
  readonly streams: {
    /** How many there are. */
    open(): number;
    /** For how long there has been none, in milliseconds. */
    idleMs(): number;
  };
}

/** What serves the requests of sessions. */
export interface Http2Options {
  readonly admitRequest: AdmitRequest;
  readonly callersOf: CallersOf;
  /** How long a new session may take to open its first stream. */
  readonly headerTimeoutMs: number;
  /** For the rest of a request and the sending of its answer, once that is complete. */
  readonly endings: Deadlines;
}

type OnStream = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  flags: number,
  raw: string[],
) => void;

export function createHttp2Sessions(edge: Edge, options: Http2Options): Http2Sessions {
  const connections = new Set<Connection>();
  let accepting: Socket | null = null;
  let draining = false;
  const turns = createTurns<object>(requestsAtOnce);
  /** What answers the streams of a session. */
  const answerStreams = (session: ServerHttp2Session, peerAddress: string): OnStream => {
    const findCaller = options.callersOf(peerAddress);
    return (stream, headers, _flags, raw) => {
      // A stream that breaks is closed, and the close is what counts.
      stream.on("error", () => undefined);
      const caller = findCaller(forwardedFor(headers));
      const wire = new Http2Wire(stream, headers, raw, caller, options.endings);
      const admission = options.admitRequest(caller, wire.target);
      if (admission instanceof AppError) {
        // RFC 9113 section 8.7: nothing was done, and whoever sends it again is safe. It is no answer that has to be read.
        stream.close(constants.NGHTTP2_REFUSED_STREAM);
        return;
      }
      turns.run(session, () => {
        // What the peer has reset meanwhile costs nothing.
        if (!stream.destroyed) edge(wire, admission);
        else admission?.release();
      });
    };
  };
  const server = createServer({
    maxSessionMemory: sessionMemoryMib,
    maxHeaderListPairs: parsedHeader.linesMax,
    // What came in for streams that the peer reset, at most (CVE-2023-44487).
    streamResetBurst: 200,
    streamResetRate: 33,
    settings: {
      maxConcurrentStreams: concurrentStreamsMax,
      maxHeaderListSize: parsedHeader.bytesMax,
      enablePush: false,
    },
  });
  server.on("session", (session) => {
    if (accepting === null) throw new Error("A session began on no connection.");
    const connection = { session, socket: accepting, streams: countStreams(session) };
    connections.add(connection);
    session.once("close", () => connections.delete(connection));
    watch(connection, options.headerTimeoutMs);
    session.on("stream", answerStreams(session, accepting.remoteAddress ?? ""));
    if (draining) endGracefully(connection);
  });
  // A peer that breaks the protocol: its session is over, and the rest goes on.
  server.on("sessionError", (_error, session) => session?.destroy());
  return {
    accept(socket) {
      // HTTP/1.1's servers keep a connection that the peer has ended half-open; to HTTP/2 it is over.
      socket.allowHalfOpen = false;
      // The session begins within the call.
      accepting = socket;
      server.emit("connection", socket);
      accepting = null;
    },
    drain() {
      draining = true;
      for (const connection of connections) endGracefully(connection);
    },
    destroy() {
      for (const { session } of connections) session.destroy();
    },
    *loads() {
      for (const { session, socket, streams } of connections) {
        yield { weight: () => streams.open() + unreadWeight(socket), close: () => session.destroy() };
      }
    },
  };
}

/** Ends sessions that open no stream, are idle, do not answer pings, or are old. */
function watch(connection: Connection, headerTimeoutMs: number): void {
  const { session, streams } = connection;
  const silent = setTimeout(() => session.destroy(), headerTimeoutMs);
  session.once("stream", () => clearTimeout(silent));
  // The pings keep Node's own idle timeout from ever passing.
  const tending = setInterval(() => {
    if (streams.idleMs() > idleTimeoutMs) endGracefully(connection);
    else pingOrDestroy(session);
  }, pingPeriodMs).unref();
  // The jitter keeps sessions that began together from ending together.
  const age = sessionAgeMaxMs * (0.9 + 0.1 * (randomBytes(1).readUInt8() / 255));
  const aging = setTimeout(() => endGracefully(connection), age).unref();
  session.once("close", () => {
    clearTimeout(silent);
    clearInterval(tending);
    clearTimeout(aging);
  });
}

function countStreams(session: ServerHttp2Session): Connection["streams"] {
  let open = 0;
  let idleSince = performance.now();
  session.on("stream", (stream) => {
    open += 1;
    stream.once("close", () => {
      open -= 1;
      idleSince = performance.now();
    });
  });
  return { open: () => open, idleMs: () => (open === 0 ? performance.now() - idleSince : 0) };
}

function pingOrDestroy(session: ServerHttp2Session): void {
  if (session.destroyed) return;
  const deadline = setTimeout(() => session.destroy(), pingTimeoutMs).unref();
  const sent = session.ping(() => clearTimeout(deadline));
  if (!sent) clearTimeout(deadline);
}

/**
 * Ends a session so that no stream is lost which the peer opens before it has learned of the end (RFC 9113 section
 * 6.8): first a GOAWAY asks the peer to open no more, and after a round trip the session closes with its last stream.
 */
function endGracefully({ session, socket, streams }: Connection): void {
  // The settings, which a session sends first, go out at the end of this turn.
  setImmediate(() => {
    if (session.destroyed || session.closed) return;
    const close = (): void => {
      clearTimeout(notice);
      session.off("stream", close);
      if (!session.destroyed) session.close();
    };
    const notice = setTimeout(close, noticeMs);
    if (session.encrypted) {
      // Nothing can be written past the session here. So it ends while a stream is open: a proxy that sends one
      // request at a time has no other on its way then. The ping makes a proxy give up a connection that lies idle.
      if (streams.open() > 0) close();
      else session.once("stream", close).ping(() => undefined);
    } else {
      socket.write(shutdownNotice);
      if (!session.ping(close)) close();
    }
  });
}
