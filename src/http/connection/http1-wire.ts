import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import type { Deadline, Deadlines } from "../../lib/deadlines.ts";
import type { Caller } from "../peers/callers.ts";
import type { Fields, Wire, WireEvents } from "./wire.ts";

// So large are the texts that Node hands to the kernel without another copy.
const textBytesMax = 16_384;

/** A request of HTTP/1.1 or HTTP/1.0. */
export class Http1Wire implements Wire {
  readonly caller: Caller;
  readonly hasBody: boolean;
  readonly #request: IncomingMessage;
  /** Kept here: a request that is torn apart while it is read has none any more. */
  readonly #socket: Socket;
  readonly #response: ServerResponse;
  /** For the rest of the request and the sending of the answer, once that has been passed to Node. */
  readonly #endings: Deadlines;
  #ending: Deadline | null = null;

  constructor(request: IncomingMessage, response: ServerResponse, caller: Caller, endings: Deadlines) {
    this.#request = request;
    this.#socket = request.socket;
    this.#response = response;
    this.#endings = endings;
    this.caller = caller;
    const { headers } = request;
    // RFC 9112 section 6.3.
    this.hasBody = headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
  }

  get httpVersion(): "1.0" | "1.1" {
    return this.#request.httpVersion === "1.0" ? "1.0" : "1.1";
  }

  get method(): string {
    return this.#request.method ?? "";
  }

  get target(): string {
    return this.#request.url ?? "";
  }

  get headers(): IncomingHttpHeaders {
    return this.#request.headers;
  }

  get rawHeaders(): readonly string[] {
    return this.#request.rawHeaders;
  }

  get connection(): object {
    return this.#socket;
  }

  get body(): Readable {
    return this.#request;
  }

  get output(): Writable {
    return this.#response;
  }

  get isOpen(): boolean {
    return !this.#response.headersSent && !this.#response.destroyed;
  }

  get status(): number {
    return this.#response.statusCode;
  }

  attach(events: WireEvents): void {
    const response = this.#response;
    response.on("close", () => {
      if (this.#request.complete || this.#socket.destroyed) this.#ending?.stop();
      events.onClosed(response.writableFinished);
    });
    // A broken connection shows as a close; without a listener it would end the process.
    response.on("error", ignore);
    this.#request.on("error", (error) => events.onBodyBroken(error));
  }

  sendContinue(): void {
    this.#response.writeContinue();
  }

  send(status: number, lines: string[], body: Uint8Array | null, trailers: Fields | undefined): void {
    const response = this.#response;
    this.#begin(status, lines);
    if (trailers !== undefined) response.addTrailers(trailers);
    if (body === null || this.method === "HEAD") response.end();
    // Node sends a text together with the head, in one piece; latin1 has a character for each byte.
    else if (body.byteLength <= textBytesMax) response.end(bytesOf(body).toString("latin1"), "latin1");
    else response.end(body);
    this.#end();
  }

  sendHead(status: number, lines: string[]): void {
    this.#begin(status, lines);
    this.#response.flushHeaders();
  }

  sendEnd(trailers: Fields | undefined): void {
    if (trailers !== undefined && !this.#response.destroyed) this.#response.addTrailers(trailers);
    this.#response.end();
    this.#end();
  }

  cut(): void {
    this.#response.socket?.destroy();
  }

  destroy(): void {
    this.#response.destroy();
  }

  #begin(status: number, lines: string[]): void {
    if (this.hasBody) this.#request.resume();
    this.#response.writeHead(status, lines);
  }

  /**
   * Makes sure that the exchange ends: a peer that goes on sending an unwanted body, or does not read its answer,
   * is cut off. The rest of the body is read and dropped meanwhile, since many clients read no answer before they
   * have sent everything. The connection can then be reused.
   */
  #end(): void {
    const { socket } = this.#response;
    // The kernel has taken it all, and nothing more comes.
    if (!this.hasBody && socket !== null && socket.writableLength === 0) return;
    this.#ending = this.#endings.start(() => this.#onLate());
  }

  #onLate(): void {
    const { complete } = this.#request;
    const socket = this.#socket;
    const { writableFinished } = this.#response;
    const isQueued = this.#response.socket === null && !writableFinished;
    // Behind an earlier answer on its connection (pipelining): that one's time counts.
    if (isQueued && !socket.destroyed) this.#ending = this.#endings.start(() => this.#onLate());
    else if (!complete || !writableFinished) socket.destroy();
  }
}

function bytesOf(body: Uint8Array): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

function ignore(): void {
  // The close event that follows says what there is to say.
}
