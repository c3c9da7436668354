// A process of its own, so that what it costs does not delay what it measures. It takes a LoadPlan over
// its channel, and answers with a LoadResult.
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { type Call, createClient, type Send } from "./client.ts";
import { percentile, processorMsSince } from "../figures.ts";
import type { LoadPlan, LoadResult } from "./load.ts";

process.once("message", (plan: LoadPlan) => {
  void generate(plan).then((result) => process.send?.(result, undefined, undefined, () => process.exit(0)));
});

async function generate(plan: LoadPlan): Promise<LoadResult> {
  const tally = createTally();
  const before = process.cpuUsage();
  const send = createClient(plan.port);
  const until = performance.now() + plan.seconds * 1000;
  if (plan.callers === null) await openLoop(plan, send, tally, until);
  else await Promise.all(Array.from({ length: plan.callers }, () => closedLoop(plan, send, tally, until)));
  // Not the time until the last answer: what comes after the run's end is not counted either.
  return tally.finish(plan.seconds, processorMsSince(before));
}

async function closedLoop(plan: LoadPlan, send: Send, tally: Tally, until: number): Promise<void> {
  while (performance.now() < until) await login(plan, send, tally, until);
}

/**
 * An open load is sent, and its answers are read, this often. To wake for each of them would take twice the processor
 * time, of the same processors that are to hash. What is measured of an answer is late by as much at most.
 */
const tickMs = 4;
/** Nobody changes it. */
const never = new Int32Array(new SharedArrayBuffer(4));

/**
 * Poisson: gaps are exponential, and nobody waits for anybody. Where the refused come back, one of them whose time has
 * come goes before a new caller, so that the load stays what it is.
 */
async function openLoop(plan: LoadPlan, send: Send, tally: Tally, until: number): Promise<void> {
  const underWay = new Set<Promise<void>>();
  const returns = createReturns();
  let next = performance.now();
  while (next < until) {
    for (; next <= performance.now(); next += (-Math.log(1 - Math.random()) * 1000) / plan.rate) {
      const one: Promise<void> = login(plan, send, tally, until, returns).finally(() => underWay.delete(one));
      underWay.add(one);
    }
    await nextTurn();
    Atomics.wait(never, 0, 0, tickMs);
  }
  // What came in time counts, as long as it came within the run.
  await Promise.race([Promise.all(underWay), sleep(10_000)]);
}

/** One login: of a refused caller who has come back, else of a new one. */
async function login(
  plan: LoadPlan,
  send: Send,
  tally: Tally,
  until: number,
  returns: Returns | null = null,
): Promise<void> {
  const startedAt = performance.now();
  const returning = returns?.take(startedAt);
  if (returning === undefined) tally.ask();
  else tally.comeBack();
  const call = returning ?? createCall(plan);
  const answer = await send(call).catch(() => null);
  const now = performance.now();
  tally.record(answer, now - startedAt, now <= until);
  const isRefused = answer?.status === 503 || answer?.status === 429;
  if (plan.comesBack && isRefused && answer.retryAfter !== null) {
    returns?.add(now + answer.retryAfter * 1000, call);
  }
}

function createCall(plan: LoadPlan): Call {
  const username = pick(plan.userNames);
  return {
    method: "POST",
    path: "/auth/login",
    headers: { "X-Forwarded-For": makeAddress(plan) },
    form: `username=${username}&password=${encodeURIComponent(plan.password)}`,
  };
}

/** The refused, in the order in which Retry-After lets them come back. */
interface Returns {
  add(at: number, call: Call): void;
  /** Who may come back by now; undefined for nobody. */
  take(now: number): Call | undefined;
}

function createReturns(): Returns {
  const waiting: { readonly at: number; readonly call: Call }[] = [];
  return {
    add(at, call) {
      const place = waiting.findLastIndex((other) => other.at <= at) + 1;
      waiting.splice(place, 0, { at, call });
    },
    take: (now) => ((waiting[0]?.at ?? Number.POSITIVE_INFINITY) <= now ? waiting.shift()?.call : undefined),
  };
}

function makeAddress({ addresses, network }: LoadPlan): string {
  const index = Math.floor(Math.random() * addresses);
  return `${network}.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
}

function pick(names: readonly string[]): string {
  return names[Math.floor(Math.random() * names.length)] ?? "";
}

type Tally = ReturnType<typeof createTally>;

function createTally() {
  const outcomes: Record<string, number> = {};
  const [succeededMs, refusedMs, retryAfters]: [number[], number[], number[]] = [[], [], []];
  let [asked, returns, succeeded, refusedWithoutRetryAfter] = [0, 0, 0, 0];
  const count = (name: string): void => void (outcomes[name] = (outcomes[name] ?? 0) + 1);
  return {
    ask: () => void (asked += 1),
    comeBack: () => void (returns += 1),
    record(answer: Awaited<ReturnType<Send>> | null, ms: number, inTime: boolean): void {
      if (answer === null) count("connection lost");
      else if (answer.status === 200) {
        // An answer after the end is none of this run's goodput.
        if (inTime) succeeded += 1;
        succeededMs.push(ms);
      } else {
        count(`${answer.status} ${/"reason":"(\w+)"/.exec(answer.body)?.[1] ?? ""}`.trim());
        if (answer.status !== 503 && answer.status !== 429) return;
        refusedMs.push(ms);
        if (answer.retryAfter === null) refusedWithoutRetryAfter += 1;
        else retryAfters.push(answer.retryAfter);
      }
    },
    finish: (seconds: number, processorMs: number): LoadResult => ({
      seconds,
      processorMs,
      asked,
      returns,
      succeeded,
      outcomes,
      succeededMs: { p50: percentile(succeededMs, 0.5), p99: percentile(succeededMs, 0.99) },
      refusedMs: { p50: percentile(refusedMs, 0.5), p99: percentile(refusedMs, 0.99) },
      refusedWithoutRetryAfter,
      retryAfterSeconds: { p50: percentile(retryAfters, 0.5), max: percentile(retryAfters, 1) },
    }),
  };
}
