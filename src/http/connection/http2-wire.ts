import type { IncomingHttpHeaders } from "node:http";
import {
  constants,
  type IncomingHttpHeaders as IncomingHttp2Headers,
  type ServerHttp2Stream,
} from "node:http2";
import type { Readable, Writable } from "node:stream";
import type { Deadline, Deadlines } from "../../lib/deadlines.ts";
import type { Caller } from "../peers/callers.ts";
import type { Fields, Wire, WireEvents } from "./wire.ts";

const answerSentPollMs = 20;
const withTrailers = { waitForTrailers: true };
const withoutBody = { endStream: true };

/** A request of HTTP/2: a stream. */
export class Http2Wire implements Wire {
  readonly httpVersion = "2.0";
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly caller: Caller;
  readonly connection: object;
  status = 200;
  readonly #stream: ServerHttp2Stream;
  /** For the rest of the request and the sending of the answer, once that has been passed to Node. */
  readonly #endings: Deadlines;
  #ending: Deadline | null = null;
  #trailers: Fields | undefined;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttp2Headers,
    rawHeaders: readonly string[],
    caller: Caller,
    endings: Deadlines,
  ) {
    this.#stream = stream;
    this.#endings = endings;
    this.headers = headers;
    this.rawHeaders = rawHeaders;
    this.caller = caller;
    this.connection = stream.session ?? stream;
    this.method = headers[":method"] ?? "";
    this.target = headers[":path"] ?? "";
  }

  /** An empty body that ends after the header ends by itself, whether or not somebody listens. */
  get hasBody(): boolean {
    return !this.#stream.endAfterHeaders && !this.#stream.readableEnded;
  }

  get body(): Readable {
    return this.#stream;
  }

  get output(): Writable {
    return this.#stream;
  }

  get isOpen(): boolean {
    return !this.#stream.headersSent && !this.#stream.destroyed && !this.#stream.closed;
  }

  attach(events: WireEvents): void {
    const stream = this.#stream;
    stream.on("error", (error) => events.onBodyBroken(error));
    // The stream looks finished however it ended.
    stream.on("close", () => {
      this.#ending?.stop();
      events.onClosed(this.#ending !== null && stream.rstCode === constants.NGHTTP2_NO_ERROR);
    });
  }

  sendContinue(): void {
    if (this.isOpen) this.#stream.additionalHeaders({ ":status": 100 });
  }

  send(status: number, lines: string[], body: Uint8Array | null, trailers: Fields | undefined): void {
    const isBodyless = body === null || this.method === "HEAD";
    if (trailers !== undefined) this.#begin(status, lines, withTrailers);
    else this.#begin(status, lines, isBodyless ? withoutBody : undefined);
    this.#trailers = trailers;
    if (!isBodyless) this.#stream.end(body);
    else if (trailers !== undefined) this.#stream.end();
    this.#end();
  }

  sendHead(status: number, lines: string[]): void {
    this.#begin(status, lines, withTrailers);
  }

  sendEnd(trailers: Fields | undefined): void {
    this.#trailers = trailers;
    this.#stream.end();
    this.#end();
  }

  cut(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  destroy(): void {
    this.#stream.destroy();
  }

  #begin(
    status: number,
    lines: string[],
    options: typeof withTrailers | typeof withoutBody | undefined,
  ): void {
    const stream = this.#stream;
    this.status = status;
    stream.resume();
    if (options === withTrailers) {
      stream.on("wantTrailers", () => stream.sendTrailers({ ...this.#trailers }));
    }
    stream.respond([":status", String(status), ...lines], options);
  }

  /** Makes sure that the exchange ends: a peer that does not read its answer is cut off. */
  #end(): void {
    const stream = this.#stream;
    this.#ending = this.#endings.start(() => stream.close(constants.NGHTTP2_CANCEL));
    if (this.hasBody && !stream.destroyed) stopUpload(stream);
  }
}

/**
 * RFC 9113 section 8.1: who answers before the request is complete asks for its end by a reset without
 * an error. It must not overtake the answer, and Node has no event for the frame that ends that.
 */
function stopUpload(stream: ServerHttp2Stream): void {
  const polling = setInterval(() => {
    if (stream.destroyed || stream.state.localClose !== 1) return;
    clearInterval(polling);
    if (stream.state.remoteClose !== 1) stream.close(constants.NGHTTP2_NO_ERROR);
  }, answerSentPollMs);
  stream.once("close", () => clearInterval(polling));
}
