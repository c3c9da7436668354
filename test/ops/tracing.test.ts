import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createCallers } from "../_harness/callers.ts";
import { eventually } from "../_harness/eventually.ts";
import { startService, type TestService } from "../_harness/service.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const parentId = "00f067aa0ba902b7";
const traceparent = `00-${traceId}-${parentId}-01`;
const malformed = [
  `00-${traceId}-${parentId}-1`,
  `ff-${traceId}-${parentId}-01`,
  `00-${"0".repeat(32)}-${parentId}-01`,
  "x'; drop table spans",
];

function ask(service: TestService, headers: Record<string, string>, path = "/.well-known/jwks.json") {
  return fetch(service.url + path, { headers });
}

/** The log line of the request with this id. */
async function lineOf(service: TestService, requestId: string): Promise<Record<string, unknown>> {
  const find = () => service.logs().find((line) => line["request_id"] === requestId);
  await eventually(() => find() !== undefined);
  return find() ?? {};
}

describe("without an SDK", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService();
  }, 120_000);
  afterAll(() => service.stop());

  test("a request goes on with its caller's trace, under an id of its own, which the log and the answer tell", async () => {
    const answer = await ask(service, { traceparent, "x-request-id": "with-trace" });
    const line = await lineOf(service, "with-trace");
    expect(line).toMatchObject({ trace_id: traceId, span_id: expect.stringMatching(/^[0-9a-f]{16}$/) });
    expect(line["span_id"]).not.toBe(parentId);
    expect(answer.headers.get("traceresponse")).toBe(`00-${traceId}-${String(line["span_id"])}-01`);
  });

  test("a request without a trace gets one, and is told nothing that it did not ask for", async () => {
    const answers = await Promise.all([1, 2].map((n) => ask(service, { "x-request-id": `no-trace-${n}` })));
    const lines = [await lineOf(service, "no-trace-1"), await lineOf(service, "no-trace-2")];
    for (const line of lines) {
      expect(line).toMatchObject({
        trace_id: expect.stringMatching(/^(?!0+$)[0-9a-f]{32}$/),
        span_id: expect.stringMatching(/^(?!0+$)[0-9a-f]{16}$/),
      });
    }
    expect(lines[0]?.["trace_id"]).not.toBe(lines[1]?.["trace_id"]);
    expect(answers.map((answer) => answer.headers.has("traceresponse"))).toEqual([false, false]);
  });

  test.each(malformed)("the traceparent %j begins a new trace, and no part of it is logged", async (text) => {
    const requestId = `malformed-${malformed.indexOf(text)}`;
    await ask(service, { traceparent: text, "x-request-id": requestId });
    const { trace_id, span_id } = await lineOf(service, requestId);
    expect(trace_id).toMatch(/^(?!0+$)[0-9a-f]{32}$/);
    expect(span_id).toMatch(/^(?!0+$)[0-9a-f]{16}$/);
    expect([traceId, "0".repeat(32)]).not.toContain(trace_id);
    expect(service.output()).not.toContain("drop table");
  });

  test("every protocol carries it", async () => {
    for (const caller of createCallers(service.url)) {
      const id = `caller-${caller.name.replaceAll(/[^A-Za-z0-9]/g, "-")}`;
      await caller.call({ rpc: "GetJwks", headers: { traceparent, "x-request-id": id } });
      caller.close();
      expect(await lineOf(service, id)).toMatchObject({
        trace_id: traceId,
        rpc: "countersign.v1.TokenService/GetJwks",
      });
    }
  });
});

describe("with a tracer that an operator has loaded", () => {
  let folder: string;
  let service: TestService;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "countersign-spans-"));
    const preload = join(import.meta.dirname, "record-spans.ts");
    service = await startService({
      env: { NODE_OPTIONS: `--import=${preload}`, SPANS_FILE: join(folder, "spans") },
    });
  }, 120_000);
  afterAll(async () => {
    await service.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function spanOf(spanId: unknown): Promise<unknown> {
    const text = await readFile(join(folder, "spans"), "utf8");
    const spans = text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as { spanId: string });
    return spans.find((span) => span.spanId === spanId);
  }

  test("a call is a span of the caller's trace, named for its RPC, and the log tells its id", async () => {
    const answer = await ask(service, { traceparent, "x-request-id": "span-ok" });
    const { span_id } = await lineOf(service, "span-ok");
    expect(answer.headers.get("traceresponse")).toBe(`00-${traceId}-${String(span_id)}-01`);
    expect(await spanOf(span_id)).toEqual({
      traceId,
      spanId: span_id,
      traceFlags: 1,
      parentSpanId: parentId,
      // What is done meanwhile is done in the span's context.
      activeWhenNamed: span_id,
      name: "countersign.v1.TokenService/GetJwks",
      kind: 1,
      status: 0,
      attributes: {
        "http.request.method": "GET",
        "rpc.method": "countersign.v1.TokenService/GetJwks",
        "rpc.system.name": "rest",
        "http.response.status_code": 200,
      },
    });
  });

  test("a span shows the reason of a refusal, which is no error of the service, and nothing that a caller wrote", async () => {
    await ask(
      service,
      { "x-request-id": "span-refused", "user-agent": "hostile" },
      "/hostile/path?hostile=1",
    );
    const { span_id, trace_id } = await lineOf(service, "span-refused");
    expect(await spanOf(span_id)).toEqual({
      traceId: trace_id,
      spanId: span_id,
      traceFlags: 1,
      parentSpanId: null,
      activeWhenNamed: null,
      name: "GET",
      kind: 1,
      status: 0,
      attributes: {
        "http.request.method": "GET",
        "http.response.status_code": 404,
        "error.type": "not_found",
      },
    });
  });
});
