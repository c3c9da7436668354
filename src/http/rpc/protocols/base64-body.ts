import { AppError } from "../../../errors/app-error.ts";
import { decodeBase64 } from "../../../lib/base64.ts";
import type { Reply } from "../../exchange/reply.ts";

/**
 * Undoes the base64 of a gRPC-Web text body: pieces with their padding, one behind the other, as a client that
 * writes in pieces sends them.
 *
 * @throws AppError malformed_request
 */
export function readBase64Body(body: Uint8Array): Uint8Array {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1");
  const pieces = (text.match(/[^=]+=*/g) ?? []).map(decodeBase64);
  // What stands before the first piece can only be padding of nothing.
  if (text.startsWith("=") || pieces.includes(null)) {
    throw new AppError("malformed_request", "The body is not base 64.");
  }
  return Buffer.concat(pieces.filter((piece) => piece !== null));
}

/** An answer with its body in base64. */
export function base64Reply(reply: Reply): Reply {
  const body = reply.body === null ? null : Buffer.from(Buffer.from(reply.body).toString("base64"));
  return { ...reply, body };
}
