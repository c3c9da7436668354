import { type ClientHttp2Session, connect as connectHttp2, type OutgoingHttpHeaders } from "node:http2";
import { connect, type Socket } from "node:net";
import { frameTypes } from "../security/raw-http2.ts";
import type { FuzzRequest } from "./requests.ts";
import { printable } from "./wire.ts";

/**
 * What became of a request: an answer, an end of the connection, an answer that goes on (a stream), nothing
 * that the client could send, or nothing at all, which must not be.
 */
export type Fate = "answered" | "closed" | "open" | "unsent" | "hung";

// A service under test gives up on half a request after two seconds at most.
const patienceMs = 3_000;
// How long a stream is listened to.
const streamMs = 100;
const hangMs = 30_000;

/** A client of HTTP/1.1 that keeps its connection where it can. */
export interface Http1Peer {
  send(bytes: Buffer, method: string): Promise<Fate>;
  close(): void;
}

/** Opens the client; it connects when it has something to send. */
export function createHttp1Peer(port: number): Http1Peer {
  let socket: Socket | null = null;
  const live = async (): Promise<Socket> => {
    if (socket === null || socket.destroyed || socket.readableEnded) socket = await open(port);
    return socket;
  };
  return {
    async send(bytes, method) {
      const used = await live();
      used.write(bytes);
      const fate = await watch(used, (received) => readAnswer(received, method));
      if (fate !== "answered") used.destroy();
      return fate;
    },
    close: () => socket?.destroy(),
  };
}

/** Sends bytes that may be anything over a connection of their own. @param fin whether no more comes */
export async function sendBroken(port: number, bytes: Buffer, fin: boolean, isHttp2: boolean): Promise<Fate> {
  const socket = await open(port);
  socket.write(bytes);
  if (fin) socket.end();
  const fate = await watch(socket, isHttp2 ? readFrames : (received) => readHead(received));
  socket.destroy();
  return fate;
}

/** A client of HTTP/2 that keeps its session where it can. */
export interface Http2Peer {
  send(request: FuzzRequest): Promise<Fate>;
  close(): void;
}

/** Opens the client; it connects when it has something to send. */
export function createHttp2Peer(port: number): Http2Peer {
  let session: ClientHttp2Session | null = null;
  const live = (): ClientHttp2Session => {
    if (session === null || session.closed || session.destroyed) {
      session = connectHttp2(`http://127.0.0.1:${port}`).on("error", () => undefined);
    }
    return session;
  };
  return {
    send: (request) => sendStream(live(), request),
    close: () => session?.destroy(),
  };
}

function sendStream(
  session: ClientHttp2Session,
  { method, target, fields, body }: FuzzRequest,
): Promise<Fate> {
  const headers: OutgoingHttpHeaders = { ":method": method, ":path": printable(target) };
  for (const [name, value] of fields) headers[name] = value;
  return new Promise((resolve) => {
    let stream: ReturnType<ClientHttp2Session["request"]>;
    try {
      stream = session.request(headers, { endStream: body.byteLength === 0 });
    } catch {
      // Node's client refuses what no client may send.
      resolve("unsent");
      return;
    }
    let head = false;
    let listening: NodeJS.Timeout | undefined;
    const finish = (fate: Fate): void => {
      clearTimeout(listening);
      clearTimeout(hung);
      if (!stream.closed) stream.close();
      resolve(fate);
    };
    const hung = setTimeout(() => finish("hung"), hangMs);
    stream.on("response", (answer) => {
      head = true;
      // An answer of a known length has to come whole.
      if (answer["content-length"] === undefined) listening = setTimeout(() => finish("open"), streamMs);
    });
    stream.on("error", () => undefined);
    stream.on("close", () => finish(head ? "answered" : "closed"));
    stream.resume();
    if (body.byteLength > 0) stream.end(body);
  });
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    socket.once("connect", () => {
      socket.off("error", reject);
      socket.on("error", () => undefined);
      resolve(socket);
    });
    socket.once("error", reject);
  });
}

/**
 * How far what was received is: an answer, the last one on its connection, the beginning of a stream or of
 * an answer of a known length, or nothing of the kind.
 */
type Progress = "whole" | "last" | "stream" | "part" | "none";

/** Reads until an answer is whole, the connection ends, or time is over. */
function watch(socket: Socket, read: (received: Buffer) => Progress): Promise<Fate> {
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    let progress: Progress = "none";
    let listening: NodeJS.Timeout | undefined;
    const finish = (fate: Fate): void => {
      clearTimeout(listening);
      clearTimeout(impatient);
      clearTimeout(hung);
      socket.off("data", onData).off("end", onEnd).off("close", onEnd);
      resolve(fate);
    };
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      progress = read(received);
      if (progress === "whole") finish("answered");
      else if (progress === "stream") listening ??= setTimeout(() => finish("open"), streamMs);
      else if (progress === "last") {
        socket.destroy();
        finish("answered");
      }
    };
    const onEnd = (): void => finish(progress === "none" ? "closed" : "answered");
    const impatient = setTimeout(() => socket.end(), patienceMs);
    const hung = setTimeout(() => finish("hung"), hangMs);
    socket.on("data", onData).on("end", onEnd).on("close", onEnd);
  });
}

/** Whether the final answer of HTTP/1.1 is there; what precedes it (100) is passed over. */
function readAnswer(received: Buffer, method: string): Progress {
  let text = received.toString("latin1");
  for (;;) {
    const end = text.indexOf("\r\n\r\n");
    if (end === -1) return "none";
    const head = text.slice(0, end).toLowerCase();
    text = text.slice(end + 4);
    const status = Number(head.slice(9, 12));
    if (status >= 200) return progressOf(head, isBodyWhole(head, status, method, text));
  }
}

function progressOf(head: string, isWhole: boolean): Progress {
  if (isWhole) return head.includes("\r\nconnection: close") ? "last" : "whole";
  return head.includes("\r\ncontent-length: ") ? "part" : "stream";
}

function isBodyWhole(head: string, status: number, method: string, body: string): boolean {
  if (method === "HEAD" || status === 204 || status === 304) return true;
  const length = /\r\ncontent-length: (\d+)/.exec(head);
  if (length !== null) return body.length >= Number(length[1]);
  return head.includes("\r\ntransfer-encoding: chunked") && body.endsWith("0\r\n\r\n");
}

/** Of a broken request nothing but the first head matters: what follows it is not ours to tell apart. */
function readHead(received: Buffer): Progress {
  return received.includes("\r\n\r\n") ? "last" : "none";
}

/** An answer, a reset or the end of the session, among whatever frames. */
function readFrames(received: Buffer): Progress {
  const ends: readonly number[] = [frameTypes.headers, frameTypes.rstStream, frameTypes.goaway];
  for (let at = 0; at + 9 <= received.length; at += 9 + received.readUIntBE(at, 3)) {
    if (ends.includes(received[at + 3] ?? -1)) return "last";
  }
  return "none";
}
