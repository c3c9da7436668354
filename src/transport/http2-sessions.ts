import { randomBytes } from "node:crypto";
import { constants, createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { Edge } from "./edge.ts";
import { parsedHeader } from "./limits.ts";

const concurrentStreamsMax = 128;
const sessionMemoryMib = 10;
const idleTimeoutMs = 120_000;
const pingPeriodMs = 30_000;
const pingTimeoutMs = 20_000;
const sessionAgeMaxMs = 3_600_000;
// How long a peer may take to learn that its session ends, before streams that it opens are refused.
const noticeMs = 1_000;

/** The HTTP/2 side of the listener. It is handed connections; it opens no port. */
export interface Http2Sessions {
  readonly server: Http2Server;
  /** Tells every peer to open no more streams, and ends each session with its last stream. */
  drain(): void;
  /** Ends what is left at once. */
  destroy(): void;
}

/** @param headerTimeoutMs how long a new session may take to open its first stream */
export function createHttp2Sessions(edge: Edge, headerTimeoutMs: number): Http2Sessions {
  const sessions = new Set<ServerHttp2Session>();
  let draining = false;
  const server = createServer(
    {
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
    },
    edge,
  );
  // An expectation is met by the answer, and CONNECT is a method like any other that no path takes.
  server.on("checkContinue", edge).on("checkExpectation", edge).on("connect", edge);
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    watchSession(session, headerTimeoutMs);
    if (draining) endGracefully(session);
  });
  // A peer that breaks the protocol: its session is over, and the rest goes on.
  server.on("sessionError", (_error, session) => session?.destroy());
  return {
    server,
    drain() {
      draining = true;
      for (const session of sessions) endGracefully(session);
    },
    destroy() {
      for (const session of sessions) session.destroy();
    },
  };
}

/** Ends sessions that open no stream, are idle, do not answer pings, or are old. */
function watchSession(session: ServerHttp2Session, headerTimeoutMs: number): void {
  const silent = setTimeout(() => session.destroy(), headerTimeoutMs);
  session.once("stream", () => clearTimeout(silent));
  const idleMs = measureIdleness(session);
  // The pings keep Node's own idle timeout from ever passing.
  const tending = setInterval(() => {
    if (idleMs() > idleTimeoutMs) session.close();
    else pingOrDestroy(session);
  }, pingPeriodMs).unref();
  // The jitter keeps sessions that began together from ending together.
  const age = sessionAgeMaxMs * (0.9 + 0.1 * (randomBytes(1).readUInt8() / 255));
  const aging = setTimeout(() => endGracefully(session), age).unref();
  session.once("close", () => {
    clearTimeout(silent);
    clearInterval(tending);
    clearTimeout(aging);
  });
}

/** @returns how long the session has had no stream, in milliseconds */
function measureIdleness(session: ServerHttp2Session): () => number {
  let open = 0;
  let idleSince = performance.now();
  session.on("stream", (stream) => {
    open += 1;
    stream.once("close", () => {
      open -= 1;
      idleSince = performance.now();
    });
  });
  return () => (open === 0 ? performance.now() - idleSince : 0);
}

function pingOrDestroy(session: ServerHttp2Session): void {
  if (session.destroyed) return;
  const deadline = setTimeout(() => session.destroy(), pingTimeoutMs).unref();
  const sent = session.ping(() => clearTimeout(deadline));
  if (!sent) clearTimeout(deadline);
}

/**
 * RFC 9113 section 6.8: first a GOAWAY that names no last stream, then, after a round trip, the final
 * one; a stream that the peer opened meanwhile is served and not refused.
 */
function endGracefully(session: ServerHttp2Session): void {
  if (session.destroyed || session.closed) return;
  session.goaway(constants.NGHTTP2_NO_ERROR, 2 ** 31 - 1);
  const close = (): void => {
    clearTimeout(notice);
    if (!session.destroyed) session.close();
  };
  const notice = setTimeout(close, noticeMs);
  if (!session.ping(close)) close();
}
