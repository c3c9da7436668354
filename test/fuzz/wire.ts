import { flags, frame, frameTypes, headerBlock, preface, settingsFrame } from "../security/raw-http2.ts";
import type { Random } from "./random.ts";
import type { FuzzRequest } from "./requests.ts";
import { mutate } from "./texts.ts";

/** A request in the bytes of HTTP/1.1, as a well-behaved client writes it. */
export function writeHttp1({ method, target, fields, body }: FuzzRequest): Buffer {
  const lines = [`${method} ${printable(target)} HTTP/1.1`, "host: localhost"];
  for (const [name, value] of fields) if (name !== "te") lines.push(`${name}: ${value}`);
  if (body.byteLength > 0 || method === "POST") lines.push(`content-length: ${body.byteLength}`);
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), body]);
}

/** One that a broken or hostile client writes: framing, host and version go wrong, and then any byte. */
export function writeBrokenHttp1(random: Random, request: FuzzRequest): Buffer {
  const { method, target, fields, body } = request;
  const lines = [
    `${method} ${target} ${random.pick(["HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "http/1.1", "HTTP/1.1 x", ""])}`,
  ];
  const hosts = ["localhost", "[", "[::1]:80", "a b", "", "x:99999", "\0"];
  if (random.chance(0.8)) lines.push(`Host: ${random.pick(hosts)}`);
  for (const [name, value] of fields) lines.push(`${name}${random.pick([": ", ":", " : "])}${value}`);
  lines.push(
    ...random.many(2, () =>
      random.pick([
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: gzip",
        `Content-Length: ${body.byteLength}`,
        `Content-Length: ${random.below(100)}`,
        "Content-Length: -1",
        "Content-Length: 99999999999999999999",
        "Content-Length: 0x10",
        "Expect: 100-continue",
        "Expect: nothing",
        "Connection: close",
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABkAAQAAP__",
        " folded",
        ": no name",
        "no colon",
      ]),
    ),
  );
  const head = Buffer.from(`${lines.join(random.chance(0.95) ? "\r\n" : "\n")}\r\n\r\n`, "latin1");
  const chunked = Buffer.from(
    `${body.byteLength.toString(16)}\r\n${body.toString("latin1")}\r\n0\r\n\r\n`,
    "latin1",
  );
  const whole = Buffer.concat([head, random.chance(0.5) ? body : chunked]);
  return random.chance(0.5) ? whole : mutate(random, whole);
}

/** Fields that RFC 9113 section 8.2 takes from nobody. */
const forbiddenFields: readonly (readonly [string, string])[] = [
  [":status", "200"],
  ["Upper", "x"],
  ["connection", "close"],
  ["", ""],
];

/** A connection of HTTP/2 by hand: the request among frames that do not belong there, or damaged. */
export function writeBrokenHttp2(random: Random, { method, target, fields, body }: FuzzRequest): Buffer {
  const pseudo: [string, string][] = [
    [":method", method],
    [":scheme", random.pick(["http", "https", "ftp", ""])],
    [":authority", random.pick(["localhost", "[", "", "a@b", "x:1"])],
    [":path", printable(target)],
  ];
  const list: (readonly [string, string])[] = [...pseudo.filter(() => random.chance(0.97)), ...fields];
  if (random.chance(0.05)) list.push(random.pick(forbiddenFields));
  const block = headerBlock(list);
  const stream = random.chance(0.9) ? 1 : random.below(5);
  const isWhole = random.chance(0.9);
  const frames = [
    frame(
      frameTypes.headers,
      (isWhole ? flags.endHeaders : 0) | (body.byteLength === 0 ? flags.endStream : 0),
      stream,
      isWhole ? block : block.subarray(0, 5),
    ),
    ...(isWhole ? [] : [frame(frameTypes.continuation, flags.endHeaders, stream, block.subarray(5))]),
    ...(body.byteLength === 0
      ? []
      : [frame(frameTypes.data, flags.endStream, stream, body.subarray(0, 16_000))]),
  ];
  const noise = random.many(2, () =>
    frame(random.below(12), random.below(256), random.below(4), random.bytes(random.below(20))),
  );
  const all = random.chance(0.5) ? frames : [...frames.slice(0, 1), ...noise, ...frames.slice(1)];
  const bytes = Buffer.concat([settingsFrame([]), ...all]);
  return Buffer.concat([preface, random.chance(0.6) ? bytes : mutate(random, bytes)]);
}

/** What a request line or a path can hold without ending early. */
export function printable(target: string): string {
  const text = target.replaceAll(/[^!-~]/g, (char) => encodeURIComponent(char.toWellFormed()));
  return text === "" ? "/" : text.slice(0, 9_000);
}
