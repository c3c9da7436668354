import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { api } from "../_harness/api.ts";
import { eventually } from "../_harness/eventually.ts";
import { longTimeoutMs } from "../_harness/figures.ts";
import { readMetric } from "../_harness/metrics.ts";
import { startService, type TestService } from "../_harness/service.ts";

/** The process of a service that hashes. */
function findHashingProcess(service: TestService): number | undefined {
  return readdirSync("/proc")
    .filter((id) => /^\d+$/.test(id))
    .map(Number)
    .find((id) => {
      const parent = /^PPid:\s*(\d+)/m.exec(read(`/proc/${id}/status`))?.[1];
      return Number(parent) === service.pid && read(`/proc/${id}/cmdline`).includes("src/hashing/worker.ts");
    });
}

function requireHashingProcess(service: TestService): number {
  const pid = findHashingProcess(service);
  if (pid === undefined) throw new Error("the service has no process that hashes");
  return pid;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function isRunning(pid: number): boolean {
  // A process that has ended and that nobody has asked after yet is a zombie.
  return !/^State:\s*Z/m.test(read(`/proc/${pid}/status`)) && read(`/proc/${pid}/status`) !== "";
}

/** Signs in, as a caller who does what Retry-After says: the kill may meet a hash that is under way. */
async function login(service: TestService): Promise<number> {
  const { status, headers } = await api(service).rest.login(service.admin);
  if (status !== 503) return status;
  // sleep: what the answer asks for.
  await sleep(1_000 * Number(headers.get("retry-after")));
  return (await api(service).rest.login(service.admin)).status;
}

describe("when the process that hashes is killed", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService();
  }, longTimeoutMs);
  afterAll(() => service.stop());

  test(
    "a new one takes its place, and logins go on",
    async () => {
      const before = requireHashingProcess(service);
      process.kill(before, "SIGKILL");
      await eventually(() => !isRunning(before));
      expect(await login(service)).toBe(200);
      expect(requireHashingProcess(service)).not.toBe(before);
      expect(await readMetric(service, "countersign_hashing_process_losses_total")).toBe(1);
    },
    longTimeoutMs,
  );

  test(
    "all else answers meanwhile",
    async () => {
      process.kill(requireHashingProcess(service), "SIGKILL");
      const [ready, keys] = await Promise.all([
        fetch(`${service.url}/readyz`),
        fetch(`${service.url}/.well-known/jwks.json`),
      ]);
      expect([ready.status, keys.status]).toEqual([200, 200]);
      expect(await login(service)).toBe(200);
    },
    longTimeoutMs,
  );
});

describe("the process that hashes ends with the service,", () => {
  test.each(["SIGTERM", "SIGKILL"] as const)(
    "which ends by %s",
    async (signal) => {
      const service = await startService();
      try {
        const pid = requireHashingProcess(service);
        await service.end(signal);
        await eventually(() => !isRunning(pid));
        expect(isRunning(pid)).toBe(false);
      } finally {
        await service.stop();
      }
    },
    longTimeoutMs,
  );
});
