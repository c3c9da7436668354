import type { IncomingMessage, ServerResponse } from "node:http";
import { constants, type ServerHttp2Stream } from "node:http2";
import type { NodeRequest, NodeResponse } from "../connection/node-http.ts";

const answerSentPollMs = 20;

/**
 * Called when an answer has been passed to Node: makes sure that the exchange ends. A peer that goes on sending an
 * unwanted body, or does not read its answer, is cut off.
 *
 * @param timeoutMs how long the rest of the request and the sending of the answer may take
 */
export function endExchange(request: NodeRequest, response: NodeResponse, timeoutMs: number): void {
  if ("stream" in response) endStream(response.stream, request.complete, timeoutMs);
  else endHttp1(request as IncomingMessage, response, timeoutMs);
}

function endStream(
  stream: ServerHttp2Stream | undefined,
  isRequestComplete: boolean,
  timeoutMs: number,
): void {
  if (stream === undefined || stream.destroyed) return;
  const late = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), timeoutMs);
  stream.once("close", () => clearTimeout(late));
  if (!isRequestComplete && !stream.endAfterHeaders) stopUpload(stream);
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

/**
 * The rest of the body is read and dropped meanwhile, since many clients read no answer before they have
 * sent everything. The connection can then be reused.
 */
function endHttp1(request: IncomingMessage, response: ServerResponse, timeoutMs: number): void {
  const { socket } = request;
  const timer = setTimeout(() => {
    const isQueued = response.socket === null && !response.writableFinished;
    // Behind an earlier answer on its connection (pipelining): that one's time counts.
    if (isQueued && !socket.destroyed) timer.refresh();
    else if (!request.complete || !response.writableFinished) socket.destroy();
  }, timeoutMs);
  response.once("close", () => {
    if (request.complete || socket.destroyed) clearTimeout(timer);
  });
}
