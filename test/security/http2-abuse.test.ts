import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { api } from "../_harness/api.ts";
import { eventually } from "../_harness/eventually.ts";
import { readMetric } from "../_harness/metrics.ts";
import { startService, type TestService } from "../_harness/service.ts";
import {
  fields,
  flags,
  type Frame,
  frame,
  frameTypes,
  headerBlock,
  openRawHttp2,
  type RawHttp2,
  requestFrame,
  settingsFrame,
} from "./raw-http2.ts";
import { expectEventually, expectUnharmed } from "./unharmed.ts";

let service: TestService;
const opened: RawHttp2[] = [];
beforeAll(async () => {
  service = await startService({ env: { HEADER_TIMEOUT: "1s", BODY_TIMEOUT: "500ms" } });
});
// Whoever abuses one connection harms nobody on another.
afterEach(async () => {
  for (const connection of opened.splice(0)) connection.close();
  await expectUnharmed(service);
});
afterAll(() => service.stop());

async function open(settings?: readonly (readonly [number, number])[]): Promise<RawHttp2> {
  const connection = await openRawHttp2(service.port, settings);
  opened.push(connection);
  return connection;
}

/** The error code of the GOAWAY that ends the session (RFC 9113 section 7). */
async function goawayCode(connection: RawHttp2): Promise<number | undefined> {
  await expectEventually(() => connection.isClosed());
  return connection.frames.findLast(({ type }) => type === frameTypes.goaway)?.payload.readUInt32BE(4);
}

const cancel = Buffer.from([0, 0, 0, 8]);
const post = [...fields("POST", "/auth/login"), ["content-type", "application/json"] as const];

test("requests that wait for their turn are answered, though their empty bodies end meanwhile", async () => {
  const connection = await open();
  const rpc = "countersign.v1.TokenService/GetJwks";
  const list = [...fields("POST", `/${rpc}`), ["content-type", "application/proto"] as const];
  const streams = Array.from({ length: 100 }, (_, index) => 2 * index + 1);
  connection.send(
    ...streams.flatMap((id) => [
      requestFrame(id, list, false),
      frame(frameTypes.data, flags.endStream, id, Buffer.alloc(0)),
    ]),
  );
  const lines = () => service.logs().filter((line) => line["rpc"] === rpc);
  await eventually(() => lines().length === streams.length);
  expect(lines().filter(({ status }) => status !== 200)).toEqual([]);
});

describe("the session is closed", () => {
  test("when it opens streams and resets them in a burst", async () => {
    const connection = await open();
    for (let index = 0; index < 600; index++) {
      const stream = 2 * index + 1;
      connection.send(
        requestFrame(stream, fields("GET", "/auth/me")),
        frame(frameTypes.rstStream, 0, stream, cancel),
      );
    }
    await goawayCode(connection);
    expect(connection.isClosed()).toBe(true);
  });

  test("when a header goes on in CONTINUATION frames without end", async () => {
    const connection = await open();
    connection.send(frame(frameTypes.headers, 0, 1, headerBlock(fields("GET", "/livez"))));
    for (let index = 0; index < 500; index++) {
      connection.send(frame(frameTypes.continuation, 0, 1, headerBlock([[`x${index}`, "a".repeat(100)]])));
    }
    await goawayCode(connection);
    expect(connection.isClosed()).toBe(true);
  });

  test.each([
    ["a frame longer than the settings allow", frame(frameTypes.headers, 5, 1, Buffer.alloc(70_000)), 6],
    ["DATA on stream nought", frame(frameTypes.data, 0, 0, Buffer.from("x")), 1],
    ["a window that grows by nothing", frame(frameTypes.windowUpdate, 0, 0, Buffer.alloc(4)), 1],
    ["a PING of four bytes", frame(frameTypes.ping, 0, 0, Buffer.alloc(4)), 6],
    ["a stream of an even number", requestFrame(2, fields("GET", "/livez")), 1],
    ["a header block that is no HPACK", frame(frameTypes.headers, 5, 1, Buffer.alloc(50, 0xff)), 9],
    ["a CONTINUATION out of the blue", frame(frameTypes.continuation, 4, 1, headerBlock([["a", "b"]])), 1],
  ])("on %s, also when a request came in the same packet", async (_, bytes, code) => {
    const alone = await open();
    alone.send(bytes);
    expect(await goawayCode(alone)).toBe(code);
    const together = await open();
    together.send(requestFrame(3, fields("GET", "/auth/me")), requestFrame(5, post, false), bytes);
    await goawayCode(together);
  });
});

test.each([
  ["SETTINGS", Array.from({ length: 5_000 }, () => settingsFrame([]))],
  ["PING", Array.from({ length: 5_000 }, () => frame(frameTypes.ping, 0, 0, Buffer.alloc(8)))],
  [
    "empty DATA",
    [requestFrame(1, post, false), ...Array.from({ length: 20_000 }, () => frame(frameTypes.data, 0, 1))],
  ],
])(
  "a flood of %s keeps nobody else waiting, and ends in a closed session or in its answers",
  async (_, frames) => {
    const connection = await open();
    connection.send(...frames);
    expect(await timed(() => api(service).rest.login(service.admin))).toBeLessThan(2_000);
    connection.send(frame(frameTypes.ping, 0, 0, Buffer.from("lastping")));
    const isAnswered = ({ type, payload }: Frame): boolean =>
      type === frameTypes.ping && payload.toString() === "lastping";
    await expectEventually(() => connection.isClosed() || connection.frames.some(isAnswered));
  },
);

describe("a stream is refused or cancelled, and the others are served", () => {
  test("beyond 128 at once (REFUSED_STREAM)", async () => {
    const connection = await open();
    await connection.frame(
      ({ type, flags: bits }) => type === frameTypes.settings && (bits & flags.ack) !== 0,
    );
    for (let index = 0; index < 200; index++) connection.send(requestFrame(2 * index + 1, post, false));
    const refused = ({ type, payload }: Frame): boolean =>
      type === frameTypes.rstStream && payload.readUInt32BE(0) === 7;
    await expectEventually(() => connection.frames.filter(refused).length === 72);
    expect((await api(service).rest.login(service.admin)).status).toBe(200);
    // Those that were taken end with their time for a body, and make room.
    await expectEventually(
      () => connection.frames.filter(({ type }) => type === frameTypes.headers).length === 128,
    );
    connection.send(requestFrame(1_001, fields("GET", "/livez")));
    await connection.frame(({ type, stream }) => type === frameTypes.data && stream === 1_001);
  });

  test("when the peer's window stays shut", async () => {
    const connection = await open([[4, 0]]);
    for (let index = 0; index < 50; index++) {
      connection.send(requestFrame(2 * index + 1, fields("GET", "/.well-known/jwks.json")));
    }
    expect((await api(service).rest.login(service.admin)).status).toBe(200);
    const cancelled = ({ type, payload }: Frame): boolean =>
      type === frameTypes.rstStream && payload.readUInt32BE(0) === 8;
    await expectEventually(() => connection.frames.filter(cancelled).length === 50);
  });

  test("when the connection's window is used up", async () => {
    const connection = await open();
    // 65,535 bytes are all that we take, on all streams together.
    for (let index = 0; index < 120; index++) {
      connection.send(requestFrame(2 * index + 1, fields("GET", "/problems/malformed_request")));
    }
    await expectEventually(() => connection.frames.some(({ type }) => type === frameTypes.rstStream));
  });

  test("when requests are begun and left alone", async () => {
    const timeouts = (): number => service.logs().filter(({ status }) => status === 408).length;
    const before = timeouts();
    for (let round = 0; round < 5; round++) {
      const connection = await open();
      for (let index = 0; index < 20; index++) connection.send(requestFrame(2 * index + 1, post, false));
    }
    expect((await api(service).rest.login(service.admin)).status).toBe(200);
    await expectEventually(() => timeouts() === before + 100);
  });

  test("when the peer leaves with all its streams open", async () => {
    const connection = await open();
    for (let index = 0; index < 100; index++) connection.send(requestFrame(2 * index + 1, post, false));
    // The answer to a PING says that all before it has been read; their bodies' time runs from there.
    const before = service.logs().filter(({ status }) => status === 499).length;
    connection.send(frame(frameTypes.ping, 0, 0, Buffer.from("all sent")));
    await connection.frame(
      ({ type, payload }) => type === frameTypes.ping && payload.toString() === "all sent",
    );
    const held = () => readMetric(service, 'countersign_peer_held{kind="request"}');
    const heldBefore = await held();
    connection.close();
    // Those that had begun are told of; those that still waited for their turn cost nothing more.
    await expectEventually(() => service.logs().filter(({ status }) => status === 499).length > before);
    await eventually(async () => (await held()) <= Math.max(0, heldBefore - 100));
    const told = service.logs().filter(({ status }) => status === 499).length - before;
    expect(told).toBeLessThanOrEqual(100);
  });
});

async function timed(run: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await run();
  return performance.now() - startedAt;
}
