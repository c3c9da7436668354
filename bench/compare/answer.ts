import { readFile, writeFile } from "node:fs/promises";
import { connect, type IncomingHttpHeaders } from "node:http2";
import type { Load } from "./load.ts";

/** One answer: the status, and the body with gRPC's trailers behind it, a character for each byte. */
interface Answer {
  readonly status: number;
  readonly text: string;
  readonly bodyBytes: number;
}

/**
 * Sends one request of a load and reads the answer.
 *
 * @returns the size of its body
 * @throws Error where the answer is not the right one
 */
export async function checkAnswer(port: number, load: Load): Promise<number> {
  const { body, keep } = await nextBody(load);
  const answer = await (load.protocol === "h2c" ? askHttp2(port, load, body) : askHttp1(port, load, body));
  if (answer.status !== 200 || !load.expects.test(answer.text)) {
    const start = JSON.stringify(answer.text.slice(0, 300));
    throw new Error(`${load.method} ${load.path} was answered wrongly: ${answer.status} ${start}`);
  }
  await keep(answer.text);
  return answer.bodyBytes;
}

/** The body to send, and what becomes of the answer: a refresh token that was used is replaced by the new one. */
async function nextBody({ body }: Load): Promise<{ body: Buffer; keep: (text: string) => Promise<void> }> {
  const ignore = () => Promise.resolve();
  if (body === null) return { body: Buffer.alloc(0), keep: ignore };
  const content = await readFile(body.file);
  if (body.kind === "fixed") return { body: content, keep: ignore };
  const [first = "", ...others] = content.toString().split("\n").filter(Boolean);
  if (body.kind === "each") return { body: Buffer.from(first), keep: ignore };
  return {
    body: Buffer.from(body.before + first),
    keep: (text) => writeFile(body.file, [...others, readRefreshToken(text), ""].join("\n")),
  };
}

/** The refresh token of an answer; empty where it has none. */
export function readRefreshToken(text: string): string {
  return /"refresh_token":"([^"]+)"/.exec(text)?.[1] ?? "";
}

async function askHttp1(port: number, { method, path, headers }: Load, body: Buffer): Promise<Answer> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers,
    ...(body.byteLength > 0 ? { body: new Uint8Array(body) } : {}),
  });
  const received = Buffer.from(await answer.arrayBuffer());
  return { status: answer.status, text: received.toString("latin1"), bodyBytes: received.byteLength };
}

async function askHttp2(port: number, { method, path, headers }: Load, body: Buffer): Promise<Answer> {
  const session = connect(`http://127.0.0.1:${port}`);
  try {
    const stream = session.request({ ":method": method, ":path": path, ...headers });
    let status = 0;
    let trailers: IncomingHttpHeaders = {};
    stream.on("response", (received) => {
      status = Number(received[":status"]);
      trailers = received;
    });
    stream.on("trailers", (received: IncomingHttpHeaders) => (trailers = received));
    stream.end(body);
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    const received = Buffer.concat(chunks);
    const text = `${received.toString("latin1")}grpc-status: ${String(trailers["grpc-status"])}`;
    return { status, text, bodyBytes: received.byteLength };
  } finally {
    session.close();
  }
}
