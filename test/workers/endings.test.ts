import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { requireTokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { findChildren, findWorkers, isRunning } from "../_harness/children.ts";
import { eventually } from "../_harness/eventually.ts";
import { longTimeoutMs, sizeOf } from "../_harness/figures.ts";
import { answered } from "../_harness/fleet.ts";
import * as given from "../_harness/given.ts";
import { readMetric } from "../_harness/metrics.ts";
import { holdTable, untilWaiting } from "../_harness/rows/locks.ts";
import { type ServiceOptions, startService, type TestService } from "../_harness/service.ts";

jest.setTimeout(longTimeoutMs);

const patienceMs = 60_000;
const running: TestService[] = [];
afterEach(async () => {
  for (const service of running.splice(0)) await service.stop();
});

async function start(env: ServiceOptions["env"] = {}): Promise<TestService> {
  const service = await startService({
    env: { WORKERS: "3", DATABASE_TIMEOUT: "60s", REQUEST_TIMEOUT: "60s", HASH_WAIT_MAX: "60s", ...env },
  });
  running.push(service);
  return service;
}

function requireOne(pids: readonly number[]): number {
  const [pid] = pids;
  if (pid === undefined) throw new Error("there is no such process");
  return pid;
}

/** It may have ended since it was found. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Then there is nothing left to do.
  }
}

const readyWorkers = (service: TestService) => readMetric(service, 'countersign_workers{state="ready"}');

describe("when a worker is killed with -9", () => {
  test("in a storm of logins, again and again, what was answered is kept, and another takes its place", async () => {
    const service = await start();
    const user = await given.user(service);
    const kept: string[] = [];
    const refused: number[] = [];
    const over = new AbortController();
    const storm = Array.from({ length: 8 }, async () => {
      while (!over.signal.aborted) {
        const answer = await answered(api(service).rest.login(user));
        // No answer is the loss of a connection; any answer is what the service has to say.
        if (answer === null) continue;
        if (answer.tokens === null) refused.push(answer.status);
        else kept.push(answer.tokens.refresh_token);
      }
    });
    for (let kill = 0; kill < sizeOf(3, 20); kill += 1) {
      const lost = await readMetric(service, "countersign_worker_losses_total");
      process.kill(requireOne(findWorkers(service)), "SIGKILL");
      await eventually(
        async () =>
          (await readMetric(service, "countersign_worker_losses_total")) === lost + 1 &&
          (await readyWorkers(service)) === 3,
        patienceMs,
        50,
      );
    }
    over.abort();
    await Promise.all(storm);
    expect(refused).toEqual([]);
    expect(kept.length).toBeGreaterThan(0);
    // MAX_SESSIONS_PER_USER has ended all but the newest hundred.
    for (const token of kept.slice(-20)) requireTokens(await api(service).rest.refresh(token));
  });

  test("its counts stay in the sums, and a connection that it had not yet taken goes to another", async () => {
    const service = await start();
    const series = 'countersign_nonrpc_requests_total{reason="ok"}';
    const probe = () => fetch(`${service.url}/livez`, { headers: { connection: "close" } });
    for (let count = 0; count < 9; count += 1) await probe();
    const before = await readMetric(service, series);
    expect(before).toBeGreaterThanOrEqual(9);
    const [stopped = 0] = findWorkers(service);
    process.kill(stopped, "SIGSTOP");
    // One of these is on its way to the worker that stands still.
    const probes = Array.from({ length: 9 }, probe);
    // sleep: nothing shows that the supervisor has accepted them all.
    await sleep(500);
    process.kill(stopped, "SIGKILL");
    const statuses = (await Promise.all(probes)).map(({ status }) => status);
    expect(statuses).toEqual(statuses.map(() => 200));
    await eventually(async () => (await readyWorkers(service)) === 3, patienceMs, 50);
    expect(await readMetric(service, series)).toBeGreaterThanOrEqual(before + 9);
  });

  test("whenever one is started, and no other serves, the service gives up and says why", async () => {
    const service = await start({ WORKERS: "2" });
    const endLater = setInterval(() => {
      for (const pid of findWorkers(service)) killIfThere(pid);
    }, 20);
    await eventually(() => !isRunning(service.pid), patienceMs, 50).finally(() => clearInterval(endLater));
    expect(service.output()).toContain("no worker can be started; the log says why");
    expect(await service.end("SIGKILL")).toBe(1);
  });
});

test("when the hashing process is killed, the workers' logins go on with the next one", async () => {
  const service = await start();
  process.kill(requireOne(findChildren(service.pid, "hashing/worker.ts")), "SIGKILL");
  await eventually(async () => (await api(service).rest.login(service.admin)).status === 200, patienceMs, 50);
  expect(await readMetric(service, "countersign_hashing_process_losses_total")).toBe(1);
});

describe("at the end of a service with workers", () => {
  test("SIGTERM turns readiness false first, answers what is under way, and ends all of its processes", async () => {
    const service = await start({ DRAIN_DELAY: "1s" });
    const processes = [...findWorkers(service), ...findChildren(service.pid, "hashing/worker.ts")];
    const release = await holdTable(service.databaseUrl, "users");
    const logins = Array.from({ length: 6 }, () => api(service).rest.login(service.admin));
    await untilWaiting(service.databaseUrl);
    const ended = service.end("SIGTERM");
    await eventually(() => service.output().includes("the service is draining"), patienceMs);
    await eventually(async () => (await fetch(`${service.url}/readyz`)).status === 503, patienceMs);
    // sleep: DRAIN_DELAY passes, and the drain itself begins while the logins wait.
    await sleep(1_500);
    await release();
    expect((await Promise.all(logins)).map(({ status }) => status)).toEqual(logins.map(() => 200));
    expect(await ended).toBe(0);
    expect(processes.filter(isRunning)).toEqual([]);
    expect(service.output()).toContain("the service has stopped");
  });

  test.each([
    [
      "a second signal",
      async (service: TestService) => {
        process.kill(service.pid, "SIGTERM");
        await eventually(() => service.output().includes("the service is draining"), patienceMs);
        return service.end("SIGTERM");
      },
    ],
    ["SIGKILL of the supervisor", (service: TestService) => service.end("SIGKILL")],
  ])("%s leaves no process behind", async (_what, end) => {
    const service = await start({ DRAIN_DELAY: "1m" });
    const processes = [...findWorkers(service), ...findChildren(service.pid, "hashing/worker.ts")];
    expect(processes).toHaveLength(4);
    await end(service);
    await eventually(() => !processes.some(isRunning), patienceMs, 20);
  });
});
