import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** Frame types (RFC 9113 section 6). */
export const frameTypes = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** Frame flags. */
export const flags = { ack: 1, endStream: 1, endHeaders: 4 } as const;

/** What an HTTP/2 client sends first. */
export const preface: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** One frame. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** The bytes of a frame. */
export function frame(
  type: number,
  flagBits: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.byteLength, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flagBits, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Header fields as HPACK literals that are never indexed (RFC 7541 section 6.2.2), so that anything can be written. */
export function headerBlock(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
}

/** The fields of a plain request. */
export function fields(method: string, path: string, authority = "localhost"): [string, string][] {
  return [
    [":method", method],
    [":scheme", "http"],
    [":authority", authority],
    [":path", path],
  ];
}

/** A HEADERS frame with a whole request. */
export function requestFrame(
  stream: number,
  list: readonly (readonly [string, string])[],
  endStream = true,
): Buffer {
  const bits = flags.endHeaders | (endStream ? flags.endStream : 0);
  return frame(frameTypes.headers, bits, stream, headerBlock(list));
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "latin1");
  return Buffer.concat([prefixed(bytes.byteLength), bytes]);
}

/** An integer with a prefix of seven bits (RFC 7541 section 5.1). */
function prefixed(value: number): Buffer {
  if (value < 127) return Buffer.from([value]);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** A connection on which we write HTTP/2 by hand. */
export interface RawHttp2 {
  /** What the service has sent so far. */
  readonly frames: readonly Frame[];
  /** Whether the service has closed or reset the connection. */
  readonly isClosed: () => boolean;
  send(...bytes: readonly Uint8Array[]): void;
  /** Waits until the service has sent such a frame, or has closed the connection: null. */
  frame(test: (frame: Frame) => boolean, waitMs?: number): Promise<Frame | null>;
  close(): void;
}

/** Connects, and sends the preface with these settings (RFC 9113 section 6.5.1), unless told not to. */
export async function openRawHttp2(
  port: number,
  settings: readonly (readonly [id: number, value: number])[] | null = [],
): Promise<RawHttp2> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const frames: Frame[] = [];
  let closed = false;
  let rest = Buffer.alloc(0);
  socket.on("error", () => undefined).on("close", () => (closed = true));
  socket.on("data", (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.byteLength >= 9 && rest.byteLength >= 9 + rest.readUIntBE(0, 3)) {
      const size = rest.readUIntBE(0, 3);
      const payload = Buffer.from(rest.subarray(9, 9 + size));
      frames.push({ type: rest[3] ?? -1, flags: rest[4] ?? 0, stream: rest.readUInt32BE(5), payload });
      rest = rest.subarray(9 + size);
    }
  });
  const send = (...bytes: readonly Uint8Array[]): void => {
    if (!socket.destroyed) socket.write(Buffer.concat(bytes));
  };
  if (settings !== null) send(preface, settingsFrame(settings));
  return {
    frames,
    isClosed: () => closed,
    send,
    async frame(test, waitMs = 5_000) {
      const until = performance.now() + waitMs;
      for (;;) {
        const found = frames.find(test);
        if (found !== undefined) return found;
        if (closed) return null;
        if (performance.now() > until) throw new Error("no such frame came");
        // sleep: between two looks.
        await delay(5);
      }
    },
    close: () => socket.destroy(),
  };
}

/** A SETTINGS frame. */
export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(settings.length * 6);
  for (const [index, [id, value]] of settings.entries()) {
    payload.writeUInt16BE(id, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  }
  return frame(frameTypes.settings, 0, 0, payload);
}
