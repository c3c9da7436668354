import { AppError } from "../domain/errors.ts";
import type { Exchange } from "./exchange.ts";

const uriBytesMax = 8192;
const headerBytesMax = 16_384;

// RFC 3986 section 3.2.2 and 3.2.3: a registered name, an IPv4 address or a bracketed literal, and a port.
const hostForm = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]+)(?::\d{0,5})?$/;

/**
 * Refuses what is wrong with a request before anybody looks at what it asks for.
 *
 * @throws AppError uri_too_long, headers_too_large, malformed_request
 */
export function checkRequest(exchange: Exchange): void {
  if (exchange.path.length + exchange.query.length > uriBytesMax) {
    throw new AppError("uri_too_long", `The request target is longer than ${uriBytesMax} bytes.`);
  }
  if (headerBytes(exchange) > headerBytesMax) {
    throw new AppError("headers_too_large", `The header is larger than ${headerBytesMax} bytes.`);
  }
  checkHost(exchange);
}

function headerBytes(exchange: Exchange): number {
  let bytes = 0;
  for (const text of exchange.request.rawHeaders) bytes += text.length;
  return bytes;
}

/** RFC 9112 section 3.2: exactly one Host with every HTTP/1.1 request; RFC 9113 section 8.3.1: :authority. */
function checkHost(exchange: Exchange): void {
  const { request } = exchange;
  const hosts = hostLines(request.rawHeaders);
  const authority = "authority" in request ? request.authority : undefined;
  const host = authority || hosts[0];
  if (host === undefined && request.httpVersion === "1.0") return;
  if (hosts.length > 1 || host === undefined || !hostForm.test(host)) {
    throw new AppError("malformed_request", "The Host header is missing or malformed.");
  }
}

function hostLines(rawHeaders: readonly string[]): string[] {
  const lines: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === "host") lines.push(rawHeaders[index + 1] ?? "");
  }
  return lines;
}
