import type { IncomingHttpHeaders } from "node:http";
import type { Readable, Writable } from "node:stream";
import type { Caller } from "../peers/callers.ts";

/** A request, and the way for its answer, on a connection of either HTTP version. */
export interface Wire {
  readonly httpVersion: "1.0" | "1.1" | "2.0";
  readonly method: string;
  /** The request's target as it was sent: a path with its query, or the absolute form. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** The names and values of all lines, in turn, as they were sent. */
  readonly rawHeaders: readonly string[];
  readonly caller: Caller;
  /** The connection: the same for all its requests. */
  readonly connection: object;
  /** False where no body follows the header, or an empty one has come to its end; `body` must not be read then. */
  readonly hasBody: boolean;
  readonly body: Readable;
  /** Whether an answer can begin: none has, and the caller is there. */
  readonly isOpen: boolean;
  /** The status of the answer. */
  readonly status: number;

  /** Whom to tell what becomes of the request; called once, at first. */
  attach(events: WireEvents): void;
  /** Sends 100 (Continue). */
  sendContinue(): void;
  /**
   * Sends a whole answer, and drops what is left of the request's body.
   *
   * @param lines names in lower case and values, in turn
   * @param body null for none
   * @param trailers sent after the body
   */
  send(status: number, lines: string[], body: Uint8Array | null, trailers: Fields | undefined): void;
  /** Sends the head of an answer whose body goes into `output`, and drops what is left of the request's body. */
  sendHead(status: number, lines: string[]): void;
  readonly output: Writable;
  /** Ends an answer that `sendHead` has begun. */
  sendEnd(trailers: Fields | undefined): void;
  /** Breaks the answer off, so that the caller can distinguish it from a normal end. */
  cut(): void;
  /** Ends it at once. */
  destroy(): void;
}

/** Header or trailer fields, by their names in lower case. */
export type Fields = Readonly<Record<string, string>>;

/** What becomes of a request. */
export interface WireEvents {
  /** Its body broke off, or is malformed (then with an AppError). */
  onBodyBroken(error: Error): void;
  /** It is over. @param isAnswered whether its answer was sent whole */
  onClosed(isAnswered: boolean): void;
}
