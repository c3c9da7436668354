import { decodeBase64Url } from "../../../lib/base64.ts";
import { AppError } from "../../../errors/app-error.ts";

/** The parameters of a Connect GET (https://connectrpc.com/docs/protocol), none of them twice, decoded to bytes. */
export interface ConnectQuery {
  /** A parameter's text, as ASCII has it; undefined where it was not sent. */
  text(name: string): string | undefined;
  /** The message's bytes, before any decompression. */
  message(): Uint8Array;
}

/**
 * Reads a query string by octets: a message need not be text, and URLSearchParams puts U+FFFD for what is no
 * UTF-8.
 *
 * @throws AppError malformed_request
 */
export function parseConnectQuery(query: string): ConnectQuery {
  const values = new Map<string, Buffer>();
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decodeOctets(equals === -1 ? pair : pair.slice(0, equals)).toString("latin1");
    if (values.has(name)) throw new AppError("malformed_request", "A query parameter is given twice.");
    values.set(name, decodeOctets(equals === -1 ? "" : pair.slice(equals + 1)));
  }
  const text = (name: string): string | undefined => values.get(name)?.toString("latin1");
  return {
    text,
    message() {
      const bytes = values.get("message") ?? Buffer.alloc(0);
      return text("base64") === "1" ? readBase64(bytes.toString("latin1")) : bytes;
    },
  };
}

const escapeForm = /%([0-9A-Fa-f]{2})/g;

/** Undoes `+` and percent-encoding, which leaves octets (WHATWG URL, application/x-www-form-urlencoded). */
function decodeOctets(text: string): Buffer {
  if (text.replace(escapeForm, "").includes("%")) {
    throw new AppError("malformed_request", "The query string is not well-formed.");
  }
  const octets = text
    .replaceAll("+", " ")
    .replace(escapeForm, (_escape, digits: string) => String.fromCharCode(Number(`0x${digits}`)));
  return Buffer.from(octets, "latin1");
}

/** The protocol leaves padding to the client. What there is must fill up the last four. */
function readBase64(text: string): Uint8Array {
  const unpadded = text.length % 4 === 0 ? text.replace(/={1,2}$/, "") : text;
  const bytes = decodeBase64Url(unpadded);
  if (bytes === null) throw new AppError("malformed_request", "The message is not base 64.");
  return bytes;
}
