import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { api } from "../_harness/api.ts";
import { eventually } from "../_harness/eventually.ts";
import { readMetric } from "../_harness/metrics.ts";
import type { RestAnswer } from "../_harness/rest.ts";
import { startService, type TestService } from "../_harness/service.ts";

let service: TestService;
beforeAll(async () => {
  service = await startService({
    env: {
      // One hash at a time, and long enough for a flood to pile up behind it.
      ARGON2_MEMORY_KIB: "65536",
      ARGON2_ITERATIONS: "16",
      HASH_CONCURRENCY: "1",
      HASH_QUEUE_MAX: "8",
      HASH_WAIT_MAX: "10m",
      REQUEST_TIMEOUT: "10m",
      TRUSTED_PROXIES: "127.0.0.1",
      THROTTLE_LOGIN_ADDRESS: "30/1h",
    },
  });
}, 120_000);
afterAll(() => service.stop());

/** One address's attempts at once, by THROTTLE_LOGIN_ADDRESS. */
const attemptsMax = 30;

function login(address: string): Promise<RestAnswer> {
  return api(service).rest.login({ ...service.admin, address });
}

function readWaiting(): Promise<number> {
  return readMetric(service, 'countersign_hash_queue_waiting{lane="usual"}');
}

describe("a flood of logins from one caller", () => {
  test.each([
    ["of one IPv4 address", () => "192.0.2.1"],
    ["of many addresses in one IPv6 network", (nth: number) => `2001:db8:0:1::${nth.toString(16)}`],
  ])(
    "%s, takes its share of the queue and keeps nobody else out",
    async (_name, addressOf) => {
      const flood = Array.from({ length: 24 }, (_, nth) => login(addressOf(nth + 1)));
      // Two wait, which are a quarter of eight; one more runs.
      await eventually(async () => (await readWaiting()) === 2);
      expect((await login("198.51.100.1")).status).toBe(200);
      const answers = await Promise.all(flood);
      const refused = answers.filter(({ status }) => status !== 200);
      expect(refused.length).toBeGreaterThan(0);
      for (const { status, json, headers } of refused) {
        expect([status, json["reason"], headers.get("retry-after")]).toEqual([
          503,
          "overloaded",
          expect.stringMatching(/^[1-9]\d*$/),
        ]);
      }
    },
    120_000,
  );

  test("is refused before it is counted against its limit", async () => {
    const admitted = Array.from({ length: 3 }, () => login("192.0.2.2"));
    await eventually(async () => (await readWaiting()) === 2);
    const refused = await Promise.all(Array.from({ length: attemptsMax }, () => login("192.0.2.2")));
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]));
    await Promise.all(admitted);
    const next = await login("192.0.2.2");
    expect([next.status, next.headers.get("ratelimit")]).toEqual([200, expect.stringContaining(";r=26")]);
  }, 120_000);
});
