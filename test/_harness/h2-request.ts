import { once } from "node:events";
import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from "node:http2";

/** A request over HTTP/2. */
export interface H2Request {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** Its answer, whole. */
export interface H2Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Sends requests on one connection, in plain text by prior knowledge. It is opened when it is needed. */
export function openH2(url: string): {
  send(request: H2Request): Promise<H2Answer>;
  close(): void;
} {
  let session: ClientHttp2Session | null = null;
  const live = (): ClientHttp2Session => {
    if (session === null || session.closed || session.destroyed) {
      session = connect(url).on("error", () => undefined);
    }
    return session;
  };
  return { send: (request) => send(live(), request), close: () => session?.destroy() };
}

async function send(session: ClientHttp2Session, request: H2Request): Promise<H2Answer> {
  const { method, path, headers = {}, body } = request;
  const stream = session.request({ ":method": method, ":path": path, ...headers });
  let trailers: IncomingHttpHeaders = {};
  stream.on("trailers", (fields: IncomingHttpHeaders) => {
    trailers = fields;
  });
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.end(body);
  const [answer] = (await once(stream, "response")) as [IncomingHttpHeaders & { ":status": number }];
  if (!stream.closed) await once(stream, "close");
  return { status: answer[":status"], headers: answer, trailers, body: Buffer.concat(chunks) };
}
