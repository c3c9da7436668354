import { AppError } from "../../errors/app-error.ts";
import { lowerAscii } from "../../lib/http-text.ts";
import type { Exchange } from "./exchange.ts";
import { headerBytesMax, headerLinesMax, uriBytesMax } from "../connection/limits.ts";

// The colon and space of a line, and its end.
const separatorBytes = 4;

// RFC 3986 section 3.2.2 and 3.2.3: a registered name, an IPv4 address or a bracketed literal, and a port.
const hostForm = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]+)(?::(\d{0,5}))?$/;
const portMax = 65_535;

/**
 * Refuses what is wrong with a request before anybody looks at what it asks for.
 *
 * @throws AppError uri_too_long, headers_too_large, malformed_request
 */
export function checkRequest(exchange: Exchange): void {
  if (exchange.path.length + exchange.query.length > uriBytesMax) {
    throw new AppError("uri_too_long", `The request target is longer than ${uriBytesMax} bytes.`);
  }
  checkHeaderSize(exchange.request.rawHeaders);
  checkHost(exchange);
}

function checkHeaderSize(rawHeaders: readonly string[]): void {
  const lines = rawHeaders.length / 2;
  if (lines > headerLinesMax) {
    throw new AppError("headers_too_large", `The header has more than ${headerLinesMax} lines.`);
  }
  let bytes = lines * separatorBytes;
  for (const text of rawHeaders) bytes += text.length;
  if (bytes > headerBytesMax) {
    throw new AppError("headers_too_large", `The header is larger than ${headerBytesMax} bytes.`);
  }
}

/** RFC 9112 section 3.2: exactly one Host with every HTTP/1.1 request; RFC 9113 section 8.3.1: :authority. */
function checkHost({ request }: Exchange): void {
  const hosts = linesOf(request.rawHeaders, "host");
  const [authority] = linesOf(request.rawHeaders, ":authority");
  const host = authority ?? hosts[0];
  if (host === undefined && request.httpVersion === "1.0") return;
  // Two names for one request: whoever stands before us may have believed the other one.
  const contradicts = authority !== undefined && hosts.some((line) => line !== authority);
  if (hosts.length > 1 || contradicts || host === undefined || !isHost(host)) {
    throw new AppError("malformed_request", "The Host header is missing or malformed.");
  }
}

function isHost(host: string): boolean {
  const match = hostForm.exec(host);
  return match !== null && Number(match[1] ?? 0) <= portMax;
}

function linesOf(rawHeaders: readonly string[], name: string): string[] {
  const lines: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (lowerAscii(rawHeaders[index] ?? "") === name) lines.push(rawHeaders[index + 1] ?? "");
  }
  return lines;
}
