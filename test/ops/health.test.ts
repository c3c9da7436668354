import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, test } from "@jest/globals";
import type { HealthCheck } from "../../src/ops/check-loop.ts";
import { createHealth, type Health, type Readiness } from "../../src/ops/health.ts";
import { eventually } from "../_harness/eventually.ts";

const open: Health[] = [];

afterEach(() => {
  for (const health of open.splice(0)) {
    health.stop();
  }
});

describe("readiness", () => {
  test("is false while starting, even when every check is ok", async () => {
    const { health } = serve([check()], { phase: "starting" });
    await eventually(() => health.report()[0]?.status === "ok");
    expect(health.readyz()).toEqual({ ready: false, phase: "starting", failing: [] });
    expect(health.startupz()).toBe(false);
    expect(health.livez()).toBe(true);
  });

  test("is false until each gating check has answered once", async () => {
    const answer = Promise.withResolvers<void>();
    const { health } = serve([check({ run: () => answer.promise })]);
    expect(health.readyz()).toEqual({ ready: false, phase: "serving", failing: ["postgres"] });
    expect(health.report()[0]).toMatchObject({
      status: "pending",
      lastOkAt: null,
      latencyMs: null,
      message: null,
    });
    answer.resolve();
    await eventually(() => health.readyz().ready);
    expect(health.startupz()).toBe(true);
  });

  test("turns false when a check fails, and true again with the first run after its recovery", async () => {
    let up = true;
    let runs = 0;
    const run = () => {
      runs += 1;
      return up ? Promise.resolve() : refuse();
    };
    const { health } = serve([check({ run })]);
    await eventually(() => health.readyz().ready);
    up = false;
    await eventually(() => !health.readyz().ready);
    expect(health.report()[0]).toMatchObject({ status: "failed", message: "connection refused" });
    up = true;
    runs = 0;
    await eventually(() => runs > 0);
    expect(health.readyz().ready).toBe(true);
  });

  test("turns false when a check hangs and ignores its signal, and no second run is started beside it", async () => {
    let hang = false;
    let running = 0;
    let runningMax = 0;
    const stuck = Promise.withResolvers<void>();
    const { health } = serve([
      check({
        timeoutMs: 50,
        run: async () => {
          runningMax = Math.max(runningMax, (running += 1));
          await (hang ? stuck.promise : undefined);
          running -= 1;
        },
      }),
    ]);
    await eventually(() => health.readyz().ready);
    hang = true;
    await eventually(() => !health.readyz().ready);
    // sleep: further checks would begin.
    await delay(100);
    expect(health.report()[0]).toMatchObject({ status: "failed", message: "timed out" });
    expect(runningMax).toBe(1);
    hang = false;
    stuck.resolve();
    await eventually(() => health.readyz().ready);
    expect(runningMax).toBe(1);
  });

  test("does not take a late success of a run that had timed out for health", async () => {
    const late = Promise.withResolvers<void>();
    let runs = 0;
    const never = new Promise<void>(() => {});
    const { health } = serve([
      check({ timeoutMs: 50, run: () => ((runs += 1) === 1 ? late.promise : never) }),
    ]);
    await eventually(() => health.report()[0]?.status === "failed");
    late.resolve();
    await eventually(() => runs === 2);
    expect(health.readyz().ready).toBe(false);
  });

  test("turns false when results stop coming, whatever the last one said", async () => {
    let time = 1_000_000;
    const { health } = serve([check({ periodMs: 60_000, timeoutMs: 800 })], { now: () => time });
    await eventually(() => health.readyz().ready);
    time += 3 * 60_000 - 1;
    expect(health.readyz().ready).toBe(true);
    time += 1;
    expect(health.readyz()).toMatchObject({ ready: false, failing: ["postgres"] });
    expect(health.report()[0]).toMatchObject({ status: "expired", lastOkAt: 1_000_000 });
  });

  test("is not changed by a check that does not gate it", async () => {
    const { health } = serve([check(), check({ name: "redis", gatesReadiness: false, run: refuse })]);
    await eventually(() => health.readyz().ready && health.report()[1]?.status === "failed");
    expect(health.readyz()).toEqual({ ready: true, phase: "serving", failing: [] });
  });

  test("turns false at once when draining begins, and for good", async () => {
    const { health } = serve([check()]);
    await eventually(() => health.readyz().ready);
    health.setPhase("draining");
    expect(health.readyz()).toEqual({ ready: false, phase: "draining", failing: [] });
    health.setPhase("serving");
    expect(health.readyz().ready).toBe(false);
    expect(health.livez()).toBe(true);
    expect(health.startupz()).toBe(true);
  });
});

describe("a check", () => {
  test("is not run by those who ask", async () => {
    let runs = 0;
    const { health } = serve([check({ periodMs: 60_000, run: async () => void (runs += 1) })]);
    await eventually(() => health.readyz().ready);
    for (let i = 0; i < 100; i += 1) {
      health.readyz();
      health.report();
    }
    expect(runs).toBe(1);
  });

  test("that throws instead of rejecting is a failed one", async () => {
    const run = () => {
      throw new Error("postgres://user:hunter2@db/");
    };
    const { health, lines } = serve([check({ run })]);
    await eventually(() => health.report()[0]?.status === "failed");
    expect(health.report()[0]?.message).toBe("failed");
    expect(JSON.stringify([lines, health.report()])).not.toContain("hunter2");
  });

  test("is aborted by its timeout and by stop, and runs no more after stop", async () => {
    const reasons: string[] = [];
    let runs = 0;
    const run = (signal: AbortSignal) => {
      runs += 1;
      return new Promise<void>((_, reject) => {
        signal.addEventListener("abort", () => {
          reasons.push("aborted");
          reject(new Error("aborted"));
        });
      });
    };
    const { health } = serve([check({ run, periodMs: 30, timeoutMs: 20 })]);
    await eventually(() => reasons.length === 1);
    await eventually(() => runs === 2);
    health.stop();
    expect(reasons).toHaveLength(2);
    // sleep: nothing is to happen any more.
    await delay(80);
    expect(runs).toBe(2);
  });

  test.each([
    [[check(), check()], "same name"],
    [[check({ name: "Post gres" })], "lower case"],
    [[check({ periodMs: 0 })], "above 0"],
    [[check({ timeoutMs: Number.NaN })], "above 0"],
  ])("that was set up wrongly stops the start (%#)", (checks, message) => {
    expect(() => createHealth({ checks, log: { info() {}, warn() {} } })).toThrow(message);
  });
});

describe("a change", () => {
  test("is told once to each listener and logged once", async () => {
    let up = true;
    const { health, lines } = serve([check({ run: () => (up ? Promise.resolve() : refuse()) })]);
    const told: Readiness[] = [];
    const unsubscribe = health.onChange((readiness) => told.push(readiness));
    await eventually(() => health.readyz().ready);
    up = false;
    await eventually(() => !health.readyz().ready);
    // sleep: the service stays unready for some checks.
    await delay(80);
    up = true;
    await eventually(() => health.readyz().ready);
    unsubscribe();
    health.setPhase("draining");
    expect(told.map(({ ready }) => ready)).toEqual([true, false, true]);
    expect(lines).toEqual([
      "info ready",
      "warn health check failed",
      "warn not ready",
      "info health check recovered",
      "info ready",
      "info not ready",
    ]);
  });

  test("by expiry is told without anybody asking", async () => {
    // sleep: a check that takes a while.
    const { health } = serve([check({ periodMs: 50, timeoutMs: 50, run: () => delay(5) })]);
    await eventually(() => health.readyz().ready);
    const told: boolean[] = [];
    health.onChange(({ ready }) => told.push(ready));
    // A process that was frozen knows old things only, until the next run has ended.
    await eventually(() => {
      if (told.length === 0) blockEventLoop(200);
      return told.length >= 2;
    });
    expect(told.slice(0, 2)).toEqual([false, true]);
  });
});

function serve(
  checks: readonly HealthCheck[],
  { phase = "serving", now }: { phase?: "starting" | "serving"; now?: () => number } = {},
) {
  const lines: string[] = [];
  const log = {
    info: (_: unknown, message: string) => lines.push(`info ${message}`),
    warn: (_: unknown, message: string) => lines.push(`warn ${message}`),
  };
  const health = createHealth({ checks, log, ...(now === undefined ? {} : { now }) });
  open.push(health);
  health.start();
  health.setPhase(phase);
  return { health, lines };
}

function check(changes: Partial<HealthCheck> = {}): HealthCheck {
  return {
    name: "postgres",
    gatesReadiness: true,
    periodMs: 20,
    timeoutMs: 5000,
    run: () => Promise.resolve(),
    ...changes,
  };
}

function refuse(): Promise<void> {
  return Promise.reject(Object.assign(new Error("connect 10.0.0.1:5432"), { code: "ECONNREFUSED" }));
}

function blockEventLoop(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
