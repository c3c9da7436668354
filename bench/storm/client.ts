import { connect, type Socket } from "node:net";

/** One request of HTTP/1.1. */
export interface Call {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A form, or nothing. */
  readonly form?: string;
}

/** What a load generator wants to know of an answer. */
export interface Answer {
  readonly status: number;
  /** In seconds; null without the header field. */
  readonly retryAfter: number | null;
  readonly body: string;
}

/** Calls one server, over as many kept connections as there are calls at once. */
export type Send = (call: Call) => Promise<Answer>;

const receiveBytes = 65_536;

/**
 * A client that costs little: Node's own would take a good part of the two cores that are measured. It
 * knows what the service answers (a Content-Length with every body) and nothing more.
 */
export function createClient(port: number): Send {
  const idle: Connection[] = [];
  return async (call) => {
    const connection = idle.pop() ?? (await open(port));
    const answer = await connection.exchange(format(call));
    if (connection.isOpen()) idle.push(connection);
    return answer;
  };
}

/** One kept connection, with at most one call under way. */
interface Connection {
  exchange(request: string): Promise<Answer>;
  isOpen(): boolean;
}

function open(port: number): Promise<Connection> {
  return new Promise((resolve, reject) => {
    let connection: Connection & Receiver;
    const received = Buffer.allocUnsafe(receiveBytes);
    // One buffer for all that is received, and no stream around it.
    const onread = {
      buffer: received,
      callback: (length: number): boolean => {
        connection.receive(received.toString("latin1", 0, length));
        return true;
      },
    };
    const socket = connect({ port, host: "127.0.0.1", noDelay: true, onread });
    socket.once("error", reject).once("connect", () => {
      socket.off("error", reject);
      connection = keep(socket);
      resolve(connection);
    });
  });
}

/** Takes what has come, in Latin-1. */
interface Receiver {
  receive(chunk: string): void;
}

function keep(socket: Socket): Connection & Receiver {
  let text = "";
  let underWay: PromiseWithResolvers<Answer> | null = null;
  // An error without a call under way is told by the close that follows.
  socket.on("error", () => undefined);
  socket.on("close", () => underWay?.reject(new Error("the connection was closed before the answer")));
  return {
    exchange(request) {
      underWay = Promise.withResolvers();
      socket.write(request, "latin1");
      return underWay.promise;
    },
    isOpen: () => !socket.destroyed,
    receive(chunk) {
      text += chunk;
      const answer = parse(text);
      if (answer === null) return;
      if (text.includes("\r\nconnection: close")) socket.destroy();
      text = "";
      underWay?.resolve(answer);
      underWay = null;
    },
  };
}

function format({ method, path, headers = {}, form }: Call): string {
  let head = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n`;
  for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
  if (form === undefined) return `${head}\r\n`;
  return `${head}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${form.length}\r\n\r\n${form}`;
}

/** Null while it is not all there. */
function parse(text: string): Answer | null {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const length = findNumber(text, "\r\ncontent-length: ") ?? 0;
  if (text.length < end + 4 + length) return null;
  return {
    status: Number(text.slice(9, 12)),
    retryAfter: findNumber(text, "\r\nretry-after: "),
    body: text.slice(end + 4),
  };
}

function findNumber(text: string, field: string): number | null {
  const at = text.indexOf(field);
  return at === -1 ? null : Number.parseInt(text.slice(at + field.length, at + field.length + 10), 10);
}
