import { setTimeout as sleep } from "node:timers/promises";
import { Agent, request } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { Health } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { api } from "../_harness/api.ts";
import { createCallers } from "../_harness/callers.ts";
import { eventually } from "../_harness/eventually.ts";
import { sizeOf } from "../_harness/figures.ts";
import { readMetric, readMetrics } from "../_harness/metrics.ts";
import { runPromtool, type Sample, startPrometheus, type TestPrometheus } from "../_harness/prometheus.ts";
import { holdTable } from "../_harness/rows/locks.ts";
import { root, startService, type TestService } from "../_harness/service.ts";

// A scrape is made every second, on a machine that may be slow.
const scrapePatienceMs = 60_000;
const testTimeoutMs = 600_000;

let service: TestService;
let prometheus: TestPrometheus;
beforeAll(async () => {
  service = await startService({
    // Logins are held up for as long as Prometheus takes to see it.
    env: { BUILD_COMMIT: "0123abc", DATABASE_TIMEOUT: "10m", REQUEST_TIMEOUT: "10m" },
  });
  const target = service.opsUrl.replace("http://", "");
  prometheus = await startPrometheus(
    `  - { job_name: countersign, static_configs: [{ targets: ["${target}"] }] }\n`,
  );
}, 120_000);
afterAll(async () => {
  await prometheus.stop();
  await service.stop();
});

const afterTest: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of afterTest.splice(0)) await step();
});

function read(): Promise<string> {
  return readMetrics(service);
}

/** Asks until the answer is this one: a scrape is up to a second old. */
async function expectAnswer(promql: string, expected: readonly Sample[]): Promise<void> {
  let answer = keyed([]);
  const isExpected = async (): Promise<boolean> => {
    answer = keyed(await prometheus.query(promql));
    return isDeepStrictEqual(answer, keyed(expected));
  };
  // What it is in the end is told below.
  await eventually(isExpected, scrapePatienceMs, 200).catch(() => undefined);
  expect({ promql, answer }).toEqual({ promql, answer: keyed(expected) });
}

function keyed(samples: readonly Sample[]): Map<string, number> {
  const key = ({ labels }: Sample): string =>
    Object.keys(labels)
      .toSorted((one, other) => (one < other ? -1 : 1))
      .map((name) => `${name}=${labels[name]}`)
      .join(" ");
  return new Map(samples.map((sample) => [key(sample), sample.value]));
}

describe("a Prometheus that scrapes the service", () => {
  test(
    "counts every call by RPC, protocol and reason, and times it by its outcome",
    async () => {
      const counts = new Map<string, number>();
      const count = (protocol: string, reason: string) =>
        counts.set(`${protocol} ${reason}`, (counts.get(`${protocol} ${reason}`) ?? 0) + 1);
      for (const caller of createCallers(service.url)) {
        const protocol = protocolOf(caller.name);
        // Connect's GET is for RPCs without secrets.
        if (caller.name.includes("by GET")) {
          caller.close();
          continue;
        }
        for (const password of [service.admin.password, "wrong", "wrong"]) {
          const { failure } = await caller.call({
            rpc: "Login",
            input: { username: service.admin.username, password },
          });
          count(protocol, failure?.reason ?? "ok");
        }
        caller.close();
      }
      expect(counts.size).toBe(8);
      const rpc = 'rpc="countersign.v1.AuthService/Login"';
      await expectAnswer(
        `sum by (protocol, reason) (countersign_rpc_requests_total{${rpc}}) > 0`,
        [...counts].map(([key, value]) => {
          const [protocol = "", reason = ""] = key.split(" ");
          return { labels: { protocol, reason }, value };
        }),
      );
      const all = [...counts].map(([key, value]) => ({ ok: key.endsWith(" ok"), value }));
      const total = (ok: boolean) =>
        all.filter((one) => one.ok === ok).reduce((sum, { value }) => sum + value, 0);
      await expectAnswer(`sum by (outcome) (countersign_rpc_duration_seconds_count{${rpc}})`, [
        { labels: { outcome: "ok" }, value: total(true) },
        { labels: { outcome: "refused" }, value: total(false) },
      ]);
      // The first failure of ours is then an increase.
      await expectAnswer(`sum by (reason) (countersign_rpc_requests_total{${rpc}, reason="internal"})`, [
        { labels: { reason: "internal" }, value: 0 },
      ]);
      await expectAnswer(`countersign_rpc_in_flight{${rpc}} > 0`, []);
      await expectAnswer('countersign_postgres_statement_duration_seconds_count{statement="session.begin"}', [
        { labels: { statement: "session.begin" }, value: total(true) },
      ]);
    },
    testTimeoutMs,
  );

  test(
    "sees what is under way: calls, streams, connections, and who waits for the pool",
    async () => {
      const release = await holdTable(service.databaseUrl, "users");
      const agent = new Agent({ keepAlive: true });
      afterTest.push(release);
      const held: ReturnType<typeof post>[] = [];
      while (held.length < 6) {
        held.push(post(agent, new URLSearchParams(service.admin).toString()));
        // sleep: logins that come in one turn of the event loop share a statement.
        await sleep(100);
      }
      const watching = new AbortController();
      const watch = watchHealth(watching.signal);
      await expectAnswer(
        'countersign_rpc_in_flight{rpc="countersign.v1.AuthService/Login",protocol="rest"}',
        [{ labels: { rpc: "countersign.v1.AuthService/Login", protocol: "rest" }, value: 6 }],
      );
      await expectAnswer("countersign_rpc_streams", [
        { labels: { rpc: "grpc.health.v1.Health/Watch", protocol: "grpc" }, value: 1 },
      ]);
      // Logins have half of the places.
      await expectAnswer('countersign_postgres_pool_connections{state="busy"}', [
        { labels: { state: "busy" }, value: 2 },
      ]);
      await expectAnswer("countersign_postgres_pool_waiting > bool 1", [{ labels: {}, value: 1 }]);
      await expectAnswer('countersign_http_connections{version="1.1"} >= bool 6', [
        { labels: { version: "1.1", tls: "false" }, value: 1 },
      ]);
      await expectAnswer('countersign_http_connections{version="2"}', [
        { labels: { version: "2", tls: "false" }, value: 1 },
      ]);
      await release();
      expect(await Promise.all(held)).toEqual(Array.from({ length: 6 }, () => 200));
      watching.abort();
      await watch;
      agent.destroy();
      await expectAnswer("countersign_rpc_streams > 0", []);
      await expectAnswer("countersign_rpc_in_flight > 0", []);
      await expectAnswer('countersign_http_connections{version="2"} > 0', []);
    },
    testTimeoutMs,
  );

  test(
    "counts what reaches no RPC by its reason",
    async () => {
      const reasonsBefore = await prometheus.query("countersign_nonrpc_requests_total");
      const before = (reason: string) =>
        reasonsBefore.find(({ labels }) => labels["reason"] === reason)?.value ?? 0;
      await fetch(`${service.url}/no/such/path`);
      await fetch(`${service.url}/auth/login`);
      await fetch(`${service.url}/livez`);
      const session = connectHttp2(service.url);
      const stream = session.request({
        ":method": "POST",
        ":path": "/no.Such/Rpc",
        "content-type": "application/grpc",
      });
      await new Promise((resolve) => stream.resume().once("close", resolve).end());
      session.destroy();
      await sendRaw(service, "NONSENSE\r\n\r\n");
      const expected = { not_found: 2, method_not_allowed: 1, ok: 1, malformed_request: 1 };
      for (const [reason, more] of Object.entries(expected)) {
        await expectAnswer(`countersign_nonrpc_requests_total{reason="${reason}"}`, [
          { labels: { reason }, value: before(reason) + more },
        ]);
      }
    },
    testTimeoutMs,
  );

  test(
    "knows the build, the health and the signing key",
    async () => {
      const manifest = await readFile(join(root, "package.json"), "utf8");
      const { version } = JSON.parse(manifest) as { version: string };
      await expectAnswer("countersign_build_info", [
        { labels: { commit: "0123abc", node: process.version, version }, value: 1 },
      ]);
      await expectAnswer("countersign_ready", [{ labels: {}, value: 1 }]);
      await expectAnswer("countersign_check_ok", [
        { labels: { check: "postgres" }, value: 1 },
        { labels: { check: "postgres_writes" }, value: 1 },
        { labels: { check: "clock" }, value: 1 },
      ]);
      await expectAnswer('countersign_phase{phase="serving"}', [{ labels: { phase: "serving" }, value: 1 }]);
      await expectAnswer("countersign_signing_keys_published", [{ labels: {}, value: 1 }]);
      await expectAnswer("time() - countersign_signing_key_activated_timestamp_seconds < bool 3600", [
        { labels: {}, value: 1 },
      ]);
      await expectAnswer("nodejs_eventloop_lag_p99_seconds > bool 0", [{ labels: {}, value: 1 }]);
    },
    testTimeoutMs,
  );
});

test("promtool finds nothing to say about the metrics", async () => {
  await api(service).rest.login(service.admin);
  expect(await runPromtool(["check", "metrics"], await read())).toEqual({ code: 0, output: "" });
});

test(
  "no number of callers' paths, methods and headers makes more series",
  async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    const send = (from: number, to: number) =>
      Promise.all(
        Array.from({ length: 16 }, async (_, worker) => {
          for (let index = from + worker; index < to; index += 16) await sendHostile(agent, index);
        }),
      );
    await send(0, 500);
    // The last of what the service does by itself from its start on has a series of its own once it was done.
    const settled = 'countersign_postgres_statement_duration_seconds_count{statement="audit-count.settle"}';
    await eventually(async () => (await readMetric(service, settled)) > 0, 30_000, 100);
    const seriesBefore = seriesOf(await read());
    await send(500, sizeOf(10_000, 100_000));
    const text = await read();
    agent.destroy();
    expect([...seriesOf(text)].filter((name) => !seriesBefore.has(name))).toEqual([]);
    expect(text).not.toMatch(/hostile/i);
    const refused = /^countersign_nonrpc_requests_total\{reason="not_found"\} (\d+)$/m.exec(text)?.[1];
    expect(Number(refused)).toBeGreaterThan(1000);
  },
  testTimeoutMs,
);

function protocolOf(name: string): string {
  if (name.startsWith("REST")) return "rest";
  if (name.startsWith("Connect")) return "connect";
  return name.startsWith("gRPC-Web") ? "grpc-web" : "grpc";
}

function seriesOf(text: string): Set<string> {
  return new Set(
    text
      .split("\n")
      .filter((line) => line.startsWith("countersign_"))
      .map((line) => line.slice(0, line.lastIndexOf(" "))),
  );
}

const paths = (id: string): readonly string[] => [
  `/hostile-${id}`,
  `/auth/hostile-${id}?reason=hostile-${id}`,
  `/hostile.v1.Service${id}/Method${id}`,
  `/countersign.v1.AuthService/Hostile${id}`,
  `/auth/login?grant_type=hostile-${id}`,
  `/problems/hostile-${id}`,
  "/.well-known/jwks.json",
];
const methods = ["GET", "POST", "PUT", "DELETE", "PROPFIND", "MKCOL"];
const contentTypes = [
  "application/json",
  "application/x-www-form-urlencoded",
  "application/grpc",
  "application/grpc-web",
];

/** A request of which everything is made up, differently each time, and by the same rule. */
function sendHostile(agent: Agent, index: number): Promise<void> {
  const id = `${index}x${(index * 2654435761) % 4294967296}`;
  const pick = <T>(all: readonly T[], divisor: number): T =>
    all[Math.floor(index / divisor) % all.length] as T;
  const options = {
    agent,
    port: service.port,
    method: pick(methods, 7),
    path: pick(paths(id), 1),
    headers: {
      "content-type": pick([...contentTypes, `hostile/${id}`], 42),
      "x-request-id": `hostile-${id}`,
      "user-agent": `hostile-${id}`,
      "x-forwarded-for": `hostile-${id}`,
      [`x-hostile-${id}`]: id,
      traceparent: `00-${String(index + 1).padStart(32, "0")}-${String(index + 1).padStart(16, "0")}-01`,
    },
  };
  return new Promise((resolve) => {
    const call = request(options, (response) => response.resume().once("close", () => resolve()));
    call.once("error", () => resolve()).end(options.method === "GET" ? undefined : `hostile=${id}`);
  });
}

/** Sends bytes that are no HTTP, and waits for the end of the connection. */
function sendRaw({ port }: TestService, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    connect(port, "127.0.0.1")
      .once("close", () => resolve())
      .resume()
      .write(bytes);
  });
}

function post(agent: Agent, body: string): Promise<number | undefined> {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return new Promise((resolve, reject) => {
    const call = request(
      { agent, port: service.port, path: "/auth/login", method: "POST", headers },
      (response) => response.resume().once("end", () => resolve(response.statusCode)),
    );
    call.once("error", reject).end(body);
  });
}

async function watchHealth(signal: AbortSignal): Promise<void> {
  const sessionManager = new Http2SessionManager(service.url);
  const client = createClient(Health, createGrpcTransport({ baseUrl: service.url, sessionManager }));
  try {
    // It tells of the hold-up too, and stays open.
    for await (const { status } of client.watch({ service: "" }, { signal })) expect(status).not.toBe(0);
  } catch {
    // It was aborted.
  } finally {
    sessionManager.abort();
  }
}
