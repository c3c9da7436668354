import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** How many requests of one HTTP/1.1 connection may wait for their answers (pipelining, RFC 9112 section 9.3.2). */
const unansweredMax = 16;

/** The HTTP/1.1 requests of a connection that have not been answered yet. */
export interface Pipeline {
  /** Called with each request. */
  begun(response: ServerResponse): void;
  /** The answer to the last request; undefined where there was none. */
  latest(): ServerResponse | undefined;
  /** How many there are. */
  unanswered(): number;
}

const headEnd = Buffer.from("\r\n\r\n");

type ToParser = (this: Socket, chunk: Buffer) => void;

/**
 * Keeps what a connection sends from the parser while as many of its requests as may wait are unanswered. Node's parser
 * takes whatever has come in one piece, and makes a request and an answer of each head in it: two thousand of 64 KiB.
 * So it gets one head at a time. The rest goes back into the socket, which reads no further then, and neither does
 * the peer's kernel send.
 *
 * @param socket one that Node's HTTP server has just taken over
 */
export function boundPipelining(socket: Socket): Pipeline {
  const [toParser] = socket.listeners("data") as ToParser[];
  if (toParser === undefined) throw new Error("Node's HTTP server does not listen to its socket.");
  let latest: ServerResponse | undefined;
  let unanswered = 0;
  let isStopped = false;
  socket.off("data", toParser);
  socket.on("data", (chunk: Buffer) => {
    isStopped = false;
    for (let at = 0; at < chunk.byteLength; ) {
      if (socket.destroyed) return;
      if (unanswered >= unansweredMax && !socket.isPaused()) {
        isStopped = true;
        socket.pause();
      }
      // Node pauses it as well, for an answer or a body that is not taken, and resumes it itself.
      if (socket.isPaused()) {
        socket.unshift(chunk.subarray(at));
        return;
      }
      const end = chunk.indexOf(headEnd, at);
      const next = end === -1 ? chunk.byteLength : end + headEnd.byteLength;
      toParser.call(socket, chunk.subarray(at, next));
      at = next;
    }
  });
  const goOn = (): void => {
    if (isStopped && !socket.destroyed && unanswered < unansweredMax) socket.resume();
  };
  const over = (): void => {
    unanswered -= 1;
    // In the next turn of the event loop: the others have waited for this one.
    if (isStopped) setImmediate(goOn);
  };
  return {
    begun(response) {
      latest = response;
      unanswered += 1;
      response.on("close", over);
    },
    latest: () => latest,
    unanswered: () => unanswered,
  };
}
