// A process of its own, so that neither the storm's callers nor the service delay its clock. It says "ready"
// once it holds its tokens, and begins when it is told to; it answers with a ProbeResult.
import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, createClient } from "./client.ts";
import { percentile, processorMsSince } from "../figures.ts";
import { type ProbeName, probeNames, type ProbePlan, type ProbeResult } from "./probes.ts";

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

process.once("message", (plan: ProbePlan) => {
  void prepare(plan).then((probe) => {
    process.send?.("ready");
    process.once("message", () => {
      void run(plan, probe).then((result) => {
        process.send?.(result, undefined, undefined, () => process.exit(0));
      });
    });
  });
});

/** Signs in once, and makes each probe a function. */
async function prepare(plan: ProbePlan): Promise<Readonly<Record<ProbeName, () => Promise<Answer>>>> {
  const send = createClient(plan.port);
  const form = new URLSearchParams({ username: plan.username, password: plan.password }).toString();
  const first = await send({ method: "POST", path: "/auth/login", form });
  let tokens = JSON.parse(first.body) as Tokens;
  const refresh = async (): Promise<Answer> => {
    const body = new URLSearchParams({ refresh_token: tokens.refresh_token }).toString();
    const answer = await send({ method: "POST", path: "/auth/refresh", form: body });
    if (answer.status === 200) tokens = JSON.parse(answer.body) as Tokens;
    return answer;
  };
  const me = () => {
    const headers = { Authorization: `Bearer ${tokens.access_token}` };
    return send({ method: "GET", path: "/auth/me", headers });
  };
  const probes = {
    refresh,
    "GET /auth/me": me,
    JWKS: () => send({ method: "GET" as const, path: "/.well-known/jwks.json" }),
    readyz: () => send({ method: "GET" as const, path: "/readyz" }),
  };
  for (let warmUp = 0; warmUp < 30; warmUp += 1) for (const name of probeNames) await probes[name]();
  return probes;
}

async function run(
  plan: ProbePlan,
  probes: Readonly<Record<ProbeName, () => Promise<Answer>>>,
): Promise<ProbeResult> {
  const failures: string[] = [];
  const before = process.cpuUsage();
  const p99Ms: Record<ProbeName, number[]> = { refresh: [], "GET /auth/me": [], JWKS: [], readyz: [] };
  for (let round = 0; round < plan.rounds; round += 1) {
    await Promise.all(
      probeNames.map(async (name) => {
        const times = await repeat(plan, probes[name], (what) => failures.push(`${name}: ${what}`));
        p99Ms[name].push(percentile(times, 0.99));
      }),
    );
  }
  return { p99Ms, failures, processorMs: processorMsSince(before) };
}

/** One call after the other, at random times, so that they do not march in step with anything. */
async function repeat(
  { roundSeconds, callsPerSecond }: ProbePlan,
  probe: () => Promise<Answer>,
  onFailure: (what: string) => void,
): Promise<number[]> {
  const times: number[] = [];
  const until = performance.now() + roundSeconds * 1000;
  while (performance.now() < until) {
    await sleep((Math.random() * 2000) / callsPerSecond);
    const startedAt = performance.now();
    const answer = await probe().catch(() => null);
    times.push(performance.now() - startedAt);
    if (answer?.status !== 200) onFailure(answer === null ? "connection lost" : `${answer.status}`);
  }
  return times;
}
