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

/**
 * A client that costs little: Node's own would take a good part of the two cores that are measured. It
 * knows what the service answers (a Content-Length with every body) and nothing more.
 */
export function createClient(port: number): Send {
  const idle: Socket[] = [];
  return async (call) => {
    const socket = idle.pop() ?? (await open(port));
    const answer = await exchange(socket, format(call));
    if (!socket.destroyed) idle.push(socket);
    return answer;
  };
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    socket.once("error", reject).once("connect", () => {
      socket.off("error", reject);
      // An error without a call under way is told by the close that follows.
      socket.on("error", () => undefined);
      resolve(socket);
    });
  });
}

function format({ method, path, headers = {}, form }: Call): string {
  const lines = [`${method} ${path} HTTP/1.1`, "Host: localhost"];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (form !== undefined) {
    lines.push(
      "Content-Type: application/x-www-form-urlencoded",
      `Content-Length: ${Buffer.byteLength(form)}`,
    );
  }
  return `${lines.join("\r\n")}\r\n\r\n${form ?? ""}`;
}

function exchange(socket: Socket, request: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let text = "";
    const onData = (chunk: Buffer): void => {
      text += chunk.toString("latin1");
      const answer = parse(text);
      if (answer === null) return;
      stop();
      if (/^connection: close/im.test(text)) socket.destroy();
      resolve(answer);
    };
    const onClose = (): void => {
      stop();
      reject(new Error("the connection was closed before the answer"));
    };
    const stop = (): void => void socket.off("data", onData).off("close", onClose);
    socket.on("data", onData).once("close", onClose).write(request);
  });
}

/** Null while it is not all there. */
function parse(text: string): Answer | null {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const head = text.slice(0, end);
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  if (text.length < end + 4 + length) return null;
  const retryAfter = /^retry-after: *(\d+)/im.exec(head)?.[1];
  return {
    status: Number(head.slice(9, 12)),
    retryAfter: retryAfter === undefined ? null : Number(retryAfter),
    body: text.slice(end + 4),
  };
}
