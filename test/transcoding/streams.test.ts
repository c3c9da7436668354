import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { eventually } from "../_harness/eventually.ts";
import { openH2 } from "../_harness/h2-request.ts";
import { type DemoServer, startDemoServer } from "./demo-server.ts";

let server: DemoServer;
let h2: ReturnType<typeof openH2>;
beforeAll(async () => {
  server = await startDemoServer();
  h2 = openH2(server.url);
});
afterAll(async () => {
  h2.close();
  await server.drain(0);
});

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly text: string;
}

type Send = (path: string, accept?: string, method?: string) => Promise<Answer>;

const overHttp1: Send = async (path, accept, method = "GET") => {
  const answer = await fetch(server.url + path, { method, headers: accept === undefined ? {} : { accept } });
  return { status: answer.status, type: answer.headers.get("content-type"), text: await answer.text() };
};
const overHttp2: Send = async (path, accept, method = "GET") => {
  const headers = accept === undefined ? {} : { accept };
  const { status, headers: fields, body } = await h2.send({ method, path, headers });
  return { status, type: fields["content-type"] ?? null, text: body.toString() };
};
const versions: [string, Send][] = [
  ["HTTP/1.1", overHttp1],
  ["HTTP/2", overHttp2],
];

const problem = (reason: string, status: number, title: string): object => ({
  type: expect.stringMatching(/^(about:blank|http:\/\/library\.test\/problems\/\w+)$/),
  title,
  status,
  detail: "The library is closed.",
  reason,
  request_id: expect.stringMatching(/^[\w-]{36}$/),
});
const notFound = problem("not_found", 404, "Not Found");

describe.each(versions)("a stream over %s", (_version, send) => {
  test("is newline-delimited JSON unless something else is asked for", async () => {
    for (const accept of [
      undefined,
      "*/*",
      "application/*",
      "application/x-ndjson",
      "text/event-stream;q=0.5, */*",
    ]) {
      expect(await send("/titles:watch?count=2&length=3", accept)).toEqual({
        status: 200,
        type: "application/x-ndjson",
        text: '"xxx"\n"xxx"\n',
      });
    }
    const { text } = await send("/books:watch?count=2");
    const ids = text
      .split("\n")
      .map((line) => (line === "" ? null : (JSON.parse(line) as { id: string }).id));
    expect(ids).toEqual(["0", "1", null]);
  });

  test("is events, or one array, where that is asked for", async () => {
    expect(await send("/titles:watch?count=2&length=1", "text/event-stream")).toEqual({
      status: 200,
      type: "text/event-stream",
      text: 'data: "x"\n\ndata: "x"\n\n',
    });
    expect(await send("/titles:watch?count=2&length=1", "application/json, text/plain, */*")).toEqual({
      status: 200,
      type: "application/json",
      text: '["x","x"]',
    });
  });

  test("may be empty", async () => {
    expect(await send("/titles:watch")).toEqual({ status: 200, type: "application/x-ndjson", text: "" });
    expect(await send("/titles:watch", "text/event-stream")).toMatchObject({ status: 200, text: "" });
    expect(await send("/titles:watch", "application/json")).toMatchObject({ status: 200, text: "[]" });
    expect(await send("/export")).toEqual({ status: 200, type: "application/octet-stream", text: "" });
  });

  test("that fails before its first message has the failure's status", async () => {
    const { status, type, text } = await send("/books:watch?failure=not_found", "text/event-stream");
    expect([status, type, JSON.parse(text)]).toEqual([404, "application/problem+json", notFound]);
    const raw = await send("/export?failure=not_found");
    expect([raw.status, JSON.parse(raw.text)]).toEqual([404, notFound]);
  });

  test("that fails later tells it in its last line, event or item", async () => {
    const path = "/titles:watch?count=1&length=1&failure=not_found";
    const [message, failure, rest] = (await send(path)).text.split("\n");
    expect([message, JSON.parse(failure ?? ""), rest]).toEqual(['"x"', { error: notFound }, ""]);

    const events = (await send(path, "text/event-stream")).text.split("\n\n");
    expect(events).toEqual(['data: "x"', expect.stringMatching(/^event: problem\ndata: \{/), ""]);
    expect(JSON.parse(events[1]?.split("data: ")[1] ?? "")).toEqual(notFound);

    expect(JSON.parse((await send(path, "application/json")).text)).toEqual(["x", { error: notFound }]);
  });

  test("that fails of a mistake says nothing of it, and logs it", async () => {
    const { text } = await send("/titles:watch?count=1&failure=mistake");
    const { error } = JSON.parse(text.split("\n")[1] ?? "") as { error: { request_id: string } };
    expect(error).toMatchObject({
      status: 500,
      reason: "internal",
      detail: "Something went wrong on our side.",
    });
    expect(text).not.toContain("hidden");
    await eventually(() => server.logs().some((line) => line["request_id"] === error.request_id));
    const line = server.logs().find((each) => each["request_id"] === error.request_id);
    expect(line).toMatchObject({
      level: "error",
      reason: "internal",
      rpc: "demo.v1.LibraryService/WatchTitles",
    });
  });

  test("of bytes has the type of its first message, and is cut off when it fails", async () => {
    expect(await send("/export?count=2&length=1")).toEqual({
      status: 200,
      type: "text/csv",
      text: "0,x\n1,x\n",
    });
    const cut = await send("/export?count=1&failure=not_found").then(
      () => "whole",
      () => "cut",
    );
    // Node's HTTP/2 client gives what came before a reset, so that its code has to be looked at.
    expect(cut === "cut" || (await resetCode("/export?count=1&failure=not_found")) === 2).toBe(true);
  });

  test("is not begun for a caller who takes none of its forms, or sends what does not fit", async () => {
    expect(await send("/books:watch", "text/html")).toMatchObject({ status: 406 });
    expect(
      await send("/books:watch", "application/x-ndjson;q=0, text/event-stream;q=0, application/json;q=0"),
    ).toMatchObject({
      status: 406,
    });
    expect(await send("/books:watch?count=x")).toMatchObject({ status: 400 });
    expect(await send("/books:watch?nope=1")).toMatchObject({ status: 400 });
    expect(await send("/books:watch", undefined, "DELETE")).toMatchObject({ status: 405 });
    expect(await send("/books:watch", undefined, "OPTIONS")).toMatchObject({ status: 204, text: "" });
  });

  test("answers HEAD with its head, and ends its RPC", async () => {
    expect(await send("/books:watch?count=1&open=true", undefined, "HEAD")).toEqual({
      status: 200,
      type: "application/x-ndjson",
      text: "",
    });
    expect(await send("/books:watch?open=true", "text/event-stream", "HEAD")).toMatchObject({ status: 200 });
    expect(await send("/books:watch?failure=not_found", undefined, "HEAD")).toMatchObject({ status: 404 });
    await eventually(() => server.streams.running === 0);
  });
});

/** The code of RST_STREAM (RFC 9113 section 7); 0 for an answer that ends as it should. */
async function resetCode(path: string): Promise<number> {
  const session = connectHttp2(server.url);
  const stream = session.request({ ":path": path }).on("error", () => undefined);
  stream.resume();
  await once(stream, "close");
  session.close();
  return stream.rstCode;
}

describe("a stream that stays open", () => {
  test("sends each message as it comes, has no deadline, and ends its RPC when the caller goes", async () => {
    const leaving = new AbortController();
    const answer = await fetch(`${server.url}/titles:watch?count=1&open=true`, { signal: leaving.signal });
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('""\n');
    // sleep: longer than the deadline of a call.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(server.streams.running).toBe(1);
    leaving.abort();
    await eventually(() => server.streams.running === 0);
  });

  test("is told to have begun though it has nothing to say", async () => {
    const leaving = new AbortController();
    const headers = { accept: "text/event-stream" };
    const answer = await fetch(`${server.url}/books:watch?open=true`, { headers, signal: leaving.signal });
    expect([answer.status, answer.headers.get("cache-control")]).toEqual([200, "no-store"]);
    leaving.abort();
    await eventually(() => server.streams.running === 0);
  });

  test("ends over HTTP/2 when its stream is reset", async () => {
    const session = connectHttp2(server.url);
    const stream = session
      .request({ ":path": "/titles:watch?count=1&open=true" })
      .on("error", () => undefined);
    await once(stream, "data");
    expect(server.streams.running).toBe(1);
    stream.close(8);
    await eventually(() => server.streams.running === 0);
    session.close();
  });
});

describe("a caller who does not read", () => {
  test("holds the RPC back, and is cut off in the end", async () => {
    const before = server.streams.made;
    const socket = connect(server.port, "127.0.0.1").on("error", () => undefined);
    socket.pause();
    socket.write("GET /titles:watch?count=100000&length=10000 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await eventually(() => server.streams.running === 1);
    await eventually(() => server.streams.running === 0);
    // What the buffers of the kernel hold, and not the gigabyte that was asked for.
    expect(server.streams.made - before).toBeLessThan(5_000);
    socket.destroy();
  });

  test("gets all of a long stream when it does read", async () => {
    const { text } = await overHttp1("/titles:watch?count=2000&length=1000");
    expect(text.length).toBe(2000 * 1003);
    expect((await overHttp2("/titles:watch?count=2000&length=1000")).text.length).toBe(2000 * 1003);
  });
});

test("a drain ends streams, which say so", async () => {
  const other = await startDemoServer();
  const answer = await fetch(`${other.url}/titles:watch?count=1&open=true`);
  const draining = other.drain(5_000);
  const lines = (await answer.text()).split("\n");
  expect(JSON.parse(lines[1] ?? "")).toMatchObject({ error: { status: 503, reason: "unavailable" } });
  await draining;
});
