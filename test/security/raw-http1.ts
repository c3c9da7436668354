import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** An HTTP/1.1 answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What came of a connection. */
export interface RawOutcome {
  readonly answers: readonly RawAnswer[];
  /** How the service left it: still open when we stopped waiting, ended in order, or reset. */
  readonly end: "open" | "ended" | "reset";
  readonly tookMs: number;
}

/** How a raw request is sent. */
export interface RawOptions {
  /** How long to wait for the service to close the connection, in milliseconds. */
  readonly waitMs?: number;
  /** Whether we say after the last byte that no more comes. */
  readonly fin?: boolean;
  /** Milliseconds between the parts. */
  readonly pauseMs?: number;
  /** Stop waiting at so many answers; by default at one. 0 waits for the end of the connection. */
  readonly answers?: number;
}

/** Sends bytes over a TCP connection of its own, and reads what comes back. */
export async function sendRaw(
  port: number,
  parts: readonly (string | Uint8Array)[],
  { waitMs = 5_000, fin = false, pauseMs = 0, answers = 1 }: RawOptions = {},
): Promise<RawOutcome> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const outcome = collect(socket, waitMs, answers);
  for (const part of parts) {
    if (socket.destroyed) break;
    socket.write(typeof part === "string" ? Buffer.from(part, "latin1") : part);
    // sleep: the peer is slow.
    if (pauseMs > 0) await delay(pauseMs);
  }
  if (fin) socket.end();
  return outcome;
}

/** Reads a connection until it ends, enough answers have come, or the time is over; then closes it. */
export function collect(socket: Socket, waitMs: number, answersWanted: number): Promise<RawOutcome> {
  const startedAt = performance.now();
  const chunks: Buffer[] = [];
  return new Promise((resolve) => {
    const finish = (end: RawOutcome["end"]): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ answers: parse(chunks), end, tookMs: performance.now() - startedAt });
    };
    const timer = setTimeout(() => finish("open"), waitMs);
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      if (answersWanted > 0 && parse(chunks).length >= answersWanted) finish("open");
    });
    socket.on("end", () => finish("ended"));
    socket.on("error", () => finish("reset"));
  });
}

function parse(chunks: readonly Buffer[]): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = Buffer.concat(chunks).toString("latin1");
  for (;;) {
    const headEnd = rest.indexOf("\r\n\r\n");
    const match = /^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n/.exec(rest);
    if (headEnd === -1 || match === null) return answers;
    const headers: Record<string, string> = {};
    for (const line of rest.slice(match[0].length, headEnd).split("\r\n").filter(Boolean)) {
      const colon = line.indexOf(":");
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    rest = rest.slice(headEnd + 4);
    const body = headers["transfer-encoding"] === "chunked" ? chunkedBody(rest) : sizedBody(rest, headers);
    if (body === null) return answers;
    rest = rest.slice(body.size);
    answers.push({ status: Number(match[1]), headers, body: body.text });
  }
}

function sizedBody(rest: string, headers: Record<string, string>): { text: string; size: number } | null {
  const size = Number(headers["content-length"] ?? 0);
  return rest.length < size ? null : { text: rest.slice(0, size), size };
}

function chunkedBody(rest: string): { text: string; size: number } | null {
  let text = "";
  for (let at = 0; ; ) {
    const lineEnd = rest.indexOf("\r\n", at);
    if (lineEnd === -1) return null;
    const size = Number.parseInt(rest.slice(at, lineEnd), 16);
    if (size === 0) {
      const end = rest.indexOf("\r\n\r\n", lineEnd);
      return end === -1 ? null : { text, size: end + 4 };
    }
    text += rest.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
  }
}

/** The bytes of a request. */
export function request(
  line: string,
  headers: readonly string[] = [],
  body = "",
  host: readonly string[] = ["Host: localhost"],
): string {
  const length = body === "" ? [] : [`Content-Length: ${Buffer.byteLength(body, "latin1")}`];
  return `${[`${line} HTTP/1.1`, ...host, ...headers, ...length].join("\r\n")}\r\n\r\n${body}`;
}
