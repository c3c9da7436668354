import { type IncomingMessage, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, test } from "@jest/globals";
import type { CheckReport } from "../../src/ops/check-loop.ts";
import type { Phase } from "../../src/ops/health.ts";
import { createMetrics } from "../../src/ops/metrics/metrics.ts";
import { createOpsListener, type OpsListener } from "../../src/ops/ops-listener.ts";
import { probe } from "../../src/ops/probes.ts";

const open: OpsListener[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((listener) => listener.close()));
});

describe("the private listener", () => {
  test.each([
    ["/livez", 200, "ok\n"],
    ["/readyz", 200, "ok\n"],
    ["/readyz/", 200, "ok\n"],
    ["/startupz", 200, "ok\n"],
    ["/healthz", 200, "ok\n"],
    ["/metricz", 404, "not found\n"],
    ["/", 404, "not found\n"],
    ["//livez", 404, "not found\n"],
    ["/constructor", 404, "not found\n"],
  ])("answers GET %s with %d while serving", async (path, status, body) => {
    const answer = await ask(await listen(fixedHealth("serving")), path);
    expect(answer).toMatchObject({ status, body });
    expect(answer.headers).toMatchObject({
      "cache-control": "no-store",
      "content-type": "text/plain; charset=utf-8",
    });
  });

  test.each([
    ["starting", "/livez", 200],
    ["starting", "/startupz", 503],
    ["starting", "/readyz", 503],
    ["draining", "/livez", 200],
    ["draining", "/startupz", 200],
    ["draining", "/readyz", 503],
    ["draining", "/healthz", 503],
  ] as const)("while %s answers %s with %d", async (phase, path, status) => {
    const answer = await ask(await listen(fixedHealth(phase)), path);
    expect(answer).toMatchObject({ status, body: status === 200 ? "ok\n" : "unavailable\n" });
  });

  test("lists the checks to those who ask verbosely", async () => {
    const checks = [
      report({ name: "postgres" }),
      report({ name: "keys", status: "expired" }),
      report({ name: "redis", status: "failed", message: "timed out", gatesReadiness: false }),
    ];
    const { status, body } = await ask(await listen(fixedHealth("serving", checks)), "/healthz?verbose");
    expect(status).toBe(503);
    expect(body.split("\n")).toEqual([
      "[+]phase serving",
      "[+]postgres ok",
      "[-]keys expired",
      "[-]redis failed: timed out (does not gate readiness)",
      "healthz check failed",
      "",
    ]);
  });

  test("answers HEAD without a body and refuses other methods", async () => {
    const port = await listen(fixedHealth("serving"));
    expect(await ask(port, "/livez", "HEAD")).toMatchObject({ status: 200, body: "" });
    const answer = await ask(port, "/livez", "POST", "x".repeat(100));
    expect(answer).toMatchObject({ status: 405, headers: { allow: "GET, HEAD", connection: "close" } });
  });

  test("tells the figures of the process in Prometheus' format", async () => {
    const answer = await ask(await listen(fixedHealth("serving")), "/metrics");
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(answer.body).toMatch(/^process_cpu_seconds_total \d/m);
  });

  test("answers 500 without detail when a handler throws, and logs it", async () => {
    const lines: string[] = [];
    const health = {
      ...fixedHealth("serving"),
      readyz: () => {
        throw new Error("hunter2");
      },
    };
    const port = await listen(health, lines);
    expect(await ask(port, "/readyz")).toMatchObject({ status: 500, body: "internal error\n" });
    expect(await ask(port, "/livez")).toMatchObject({ status: 200 });
    expect(lines).toEqual(["an ops handler failed"]);
  });

  test("rejects when its port is taken", async () => {
    const port = await listen(fixedHealth("serving"));
    const second = createOpsListener({
      host: "127.0.0.1",
      port,
      metrics: createMetrics(),
      health: fixedHealth("serving"),
      log: { error() {} },
    });
    await expect(second.listen()).rejects.toMatchObject({ code: "EADDRINUSE" });
    await second.close();
  });

  test("closes within a second although a caller dawdles", async () => {
    const port = await listen(fixedHealth("serving"));
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    await new Promise<void>((resolve) => socket.write("GET /livez HTTP/1.1\r\nHost:", () => resolve()));
    const startedAt = performance.now();
    await open.pop()?.close();
    expect(performance.now() - startedAt).toBeLessThan(1000);
    socket.destroy();
  });
});

describe("the public probes", () => {
  const health = fixedHealth("serving", [report({ status: "failed", message: "timed out" })]);

  test.each(["/readyz", "/healthz", "/healthz/"])("%s gives no detail, asked verbosely or not", (path) => {
    for (const query of ["", "verbose", "verbose=1"]) {
      expect(probe(health, path, query, { detail: false })).toMatchObject({
        status: 503,
        body: "unavailable\n",
      });
    }
  });

  test.each(["/startupz", "/metrics", "", "/", "/healthz/x", "/HEALTHZ"])("%j is none of them", (path) => {
    expect(probe(health, path, "", { detail: false })).toBeNull();
  });
});

function fixedHealth(phase: Phase, checks: readonly CheckReport[] = []) {
  const failing = checks
    .filter((each) => each.gatesReadiness && each.status !== "ok")
    .map((each) => each.name);
  return {
    livez: () => true,
    startupz: () => phase !== "starting",
    readyz: () => ({ ready: phase === "serving" && failing.length === 0, phase, failing }),
    report: () => checks,
  };
}

function report(changes: Partial<CheckReport>): CheckReport {
  return {
    name: "postgres",
    status: "ok",
    gatesReadiness: true,
    lastOkAt: 1,
    latencyMs: 1,
    message: null,
    ...changes,
  };
}

async function listen(health: ReturnType<typeof fixedHealth>, lines: string[] = []): Promise<number> {
  const log = { error: (_: unknown, message: string) => lines.push(message) };
  const listener = createOpsListener({
    host: "127.0.0.1",
    port: 0,
    health,
    metrics: createMetrics(),
    log,
  });
  open.push(listener);
  return (await listener.listen()).port;
}

async function ask(port: number, path: string, method = "GET", body = "") {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  httpRequest({ host: "127.0.0.1", port, path, method, agent: false }, resolve).on("error", reject).end(body);
  const response = await promise;
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}
