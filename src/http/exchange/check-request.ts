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
export function checkRequest({ path, query, wire }: Pick<Exchange, "path" | "query" | "wire">): void {
  if (path.length + query.length > uriBytesMax) {
    throw new AppError("uri_too_long", `The request target is longer than ${uriBytesMax} bytes.`);
  }
  const { rawHeaders } = wire;
  const lines = rawHeaders.length / 2;
  if (lines > headerLinesMax) {
    throw new AppError("headers_too_large", `The header has more than ${headerLinesMax} lines.`);
  }
  let bytes = lines * separatorBytes;
  const names = new HostNames();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    const value = rawHeaders[index + 1] ?? "";
    bytes += name.length + value.length;
    names.read(name, value);
  }
  if (bytes > headerBytesMax) {
    throw new AppError("headers_too_large", `The header is larger than ${headerBytesMax} bytes.`);
  }
  if (!names.areRight(wire.httpVersion === "1.0")) {
    throw new AppError("malformed_request", "The Host header is missing or malformed.");
  }
}

/** What a header calls the host. RFC 9112 section 3.2: one Host with every HTTP/1.1 request; RFC 9113 section 8.3.1: :authority. */
class HostNames {
  #authority: string | undefined;
  #host: string | undefined;
  /** Two names for one request: whoever stands before us may have believed the other one. */
  #contradict = false;

  read(name: string, value: string): void {
    if (name === "Host" || (name.length === 4 && lowerAscii(name) === "host")) {
      this.#contradict ||= this.#host !== undefined;
      this.#host = value;
    } else if (name === ":authority") {
      this.#authority = value;
    }
  }

  areRight(isOptional: boolean): boolean {
    const host = this.#authority ?? this.#host;
    if (host === undefined) return isOptional;
    if (this.#contradict || (this.#host !== undefined && this.#host !== host)) return false;
    const match = hostForm.exec(host);
    return match !== null && Number(match[1] ?? 0) <= portMax;
  }
}
