import { Agent, request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { findWorkers } from "../_harness/children.ts";
import { eventually } from "../_harness/eventually.ts";
import { countStatuses, trustingLoopback } from "../_harness/guessing.ts";
import { longTimeoutMs } from "../_harness/figures.ts";
import { readMetric, readMetrics } from "../_harness/metrics.ts";
import { startService, type TestService } from "../_harness/service.ts";

const workers = 4;
const limit = 7;

let service: TestService;
beforeAll(async () => {
  service = await startService({
    env: {
      ...trustingLoopback,
      WORKERS: String(workers),
      CONNECTIONS_MAX: "64",
      HASH_QUEUE_MAX: "10000",
      // A busy machine is slow.
      DATABASE_TIMEOUT: "60s",
      REQUEST_TIMEOUT: "60s",
      HASH_WAIT_MAX: "60s",
      THROTTLE_FAILURES_ACCOUNT_ADDRESS: `${limit}/30d`,
    },
  });
}, longTimeoutMs);
afterAll(() => service.stop());

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Sends a request; an agent of its own means a connection of its own. */
function call(
  agent: Agent,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = "GET", headers = {}, body = "" } = options;
    const sent = httpRequest(`${service.url}${path}`, { agent, method, headers }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

function post(agent: Agent, path: string, fields: Record<string, string>, address = "192.0.2.1") {
  const headers = { "content-type": "application/x-www-form-urlencoded", "x-forwarded-for": address };
  return call(agent, path, { method: "POST", headers, body: new URLSearchParams(fields).toString() });
}

/** Connections that stay open, as many for each worker. */
async function withConnections<T>(count: number, use: (agents: Agent[]) => Promise<T>): Promise<T> {
  const agents = Array.from({ length: count }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  try {
    return await use(agents);
  } finally {
    for (const agent of agents) agent.destroy();
  }
}

/** The worker that has served each of these requests, by its log line. */
function servedBy(lines: readonly Record<string, unknown>[]): number[] {
  return lines.filter(({ msg }) => msg === "request").map(({ worker }) => Number(worker));
}

describe("an instance with four workers", () => {
  test("gives each worker as many of the connections", async () => {
    const before = service.logs().length;
    await withConnections(12, async (agents) => {
      for (const agent of agents) expect((await call(agent, "/.well-known/jwks.json")).status).toBe(200);
      for (const agent of agents) await call(agent, "/.well-known/jwks.json");
    });
    const served = () => servedBy(service.logs().slice(before));
    await eventually(() => served().length === 24);
    expect(countBy(served())).toEqual({ 1: 6, 2: 6, 3: 6, 4: 6 });
  });

  test("allows exactly as many wrong passwords as the limit says, though nobody has set up Redis", async () => {
    await withConnections(20, async (agents) => {
      const guesses = agents.flatMap((agent) => [agent, agent]);
      const answers = await Promise.all(
        guesses.map((agent) => post(agent, "/auth/login", { username: "nobody", password: "wrong" })),
      );
      expect(countStatuses(answers)).toEqual({ 401: limit, 429: guesses.length - limit });
    });
  });

  test("refuses an access token on every connection once the end of its session is answered", async () => {
    await withConnections(2 * workers, async (agents) => {
      for (let round = 0; round < 4; round += 1) {
        const [first] = agents;
        if (first === undefined) throw new Error("there is no connection");
        const login = await post(first, "/auth/login", service.admin, `198.51.100.${round + 1}`);
        const { access_token, refresh_token } = JSON.parse(login.body) as Record<string, string>;
        const headers = { authorization: `Bearer ${access_token}` };
        const statuses = async () =>
          countStatuses(await Promise.all(agents.map((agent) => call(agent, "/auth/me", { headers }))));
        // Every worker remembers the answer.
        expect(await statuses()).toEqual({ 200: agents.length });
        const ending = agents[round % agents.length] ?? first;
        expect((await post(ending, "/auth/logout", { refresh_token: refresh_token ?? "" })).status).toBe(204);
        expect(await statuses()).toEqual({ 401: agents.length });
      }
    });
  });

  test("tells all of itself in one scrape, and each of its workers' states once", async () => {
    const series =
      'countersign_rpc_requests_total{rpc="countersign.v1.TokenService/GetJwks",protocol="rest",reason="ok"}';
    const before = await readMetric(service, series);
    await withConnections(8, (agents) =>
      Promise.all(agents.map((agent) => call(agent, "/.well-known/jwks.json"))),
    );
    expect(await readMetric(service, series)).toBe(before + 8);
    expect(await readMetric(service, 'countersign_workers{state="ready"}')).toBe(workers);
    expect(await readMetric(service, "countersign_ready")).toBe(1);
    expect(await readMetric(service, 'countersign_peer_held_max{kind="connection"}')).toBe(64);
    expect(await readMetric(service, "countersign_postgres_away")).toBe(0);
    expect(await readMetric(service, "countersign_instances")).toBe(1);
    const names = [...(await readMetrics(service)).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test("writes whole log lines, whichever worker they come from", async () => {
    await withConnections(16, (agents) =>
      Promise.all(
        agents.flatMap((agent) => Array.from({ length: 20 }, () => call(agent, "/.well-known/jwks.json"))),
      ),
    );
    const lines = service.output().trim().split("\n");
    expect(lines.filter((line) => !line.startsWith("{") || !line.endsWith("}"))).toEqual([]);
  });

  test("has one process that hashes, one that leads, and no more than its workers", () => {
    expect(findWorkers(service)).toHaveLength(workers);
  });
});

function countBy(values: readonly number[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
