import { randomBytes, createSecretKey } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { createGuesses, type Guesser } from "../../src/domain/throttle/guesses.ts";
import { asBuckets, createMemoryBuckets } from "../../src/domain/throttle/memory-buckets.ts";
import type { Policies } from "../../src/domain/throttle/policies.ts";
import { createThrottle } from "../../src/domain/throttle/throttle.ts";
import { api } from "../_harness/api.ts";
import { eventually } from "../_harness/eventually.ts";
import * as given from "../_harness/given.ts";
import { countStatuses, trustingLoopback } from "../_harness/guessing.ts";
import { readCountedUsers } from "../_harness/rows/audit.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";
import { textOf } from "../_harness/text-of.ts";

// Attempts that are under way are no failures.

const limit = 10;

let service: TestService;
let sql: Client;
beforeAll(async () => {
  service = await startService({
    env: {
      ...trustingLoopback,
      THROTTLE_FAILURES_ACCOUNT_ADDRESS: `${limit}/15m`,
      THROTTLE_FAILURES_ACCOUNT: `${limit}/15m`,
      // Hashes that take long enough for all to be under way at once.
      ARGON2_MEMORY_KIB: "4096",
    },
  });
  sql = await openSql(service.databaseUrl);
});
afterAll(async () => {
  await sql.end();
  await service.stop();
});

const slowed = (): Promise<string[]> => readCountedUsers(sql, "login.throttled");

test("right passwords of one user side by side all pass, and the audit trail speaks of no guessing", async () => {
  const user = await given.user(service, { username: "right" });
  const from = (address: string) => api(service).rest.login({ ...user, address });
  const one = await Promise.all(Array.from({ length: 2 * limit + 1 }, () => from("192.0.2.1")));
  expect(countStatuses(one)).toEqual({ 200: 2 * limit + 1 });
  const many = await Promise.all(
    Array.from({ length: 2 * limit + 1 }, (_, index) => from(`192.0.2.${100 + (index % 3)}`)),
  );
  expect(countStatuses(many)).toEqual({ 200: 2 * limit + 1 });

  // What is counted is written in turn: when this is there, all before it is.
  const guessed = await given.user(service, { username: "guessed" });
  const wrong = await Promise.all(
    Array.from({ length: limit + 1 }, () =>
      api(service).rest.login({ username: guessed.username, address: "192.0.2.1" }),
    ),
  );
  expect(countStatuses(wrong)).toEqual({ 401: limit, 429: 1 });
  const refusal = wrong.find(({ status }) => status === 429);
  expect(Number(refusal?.headers.get("retry-after"))).toBeGreaterThan(60);
  await eventually(async () => (await slowed()).includes("guessed"), 20_000);
  expect(await slowed()).toEqual(["guessed"]);
});

test("right passwords of a known device side by side all pass", async () => {
  const user = await given.user(service, { username: "known" });
  const first = await api(service).rest.login({ ...user, address: "192.0.2.7", rememberDevice: true });
  const deviceToken = textOf(first.json["device_token"]);
  const answers = await Promise.all(
    Array.from({ length: limit + 3 }, () =>
      api(service).rest.login({ ...user, address: "192.0.2.7", deviceToken }),
    ),
  );
  expect(countStatuses(answers)).toEqual({ 200: limit + 3 });
});

describe("where what is under way takes its time", () => {
  const policies = {
    "failures-account-address": { count: 2, periodMs: 900_000, burst: 2 },
    "failures-address": null,
    "failures-account": null,
  } as unknown as Policies;
  const guesser: Guesser = {
    name: "ada",
    userId: null,
    deviceId: null,
    addressRefusal: null,
    origin: { requestId: "", clientAddress: "192.0.2.1", userAgent: "" },
    signal: undefined,
  };
  const build = () => {
    const refused: unknown[] = [];
    const decided: boolean[] = [];
    const throttle = createThrottle({
      policies,
      hmacKey: createSecretKey(randomBytes(32)),
      shared: null,
      own: asBuckets(createMemoryBuckets({ bucketsMax: 10, onForgotten: () => undefined })),
      instances: () => 1,
      events: { emit: (type) => decided.push(type === "limit.allowed") },
    });
    return {
      refused,
      decided,
      guesses: createGuesses(throttle, (_guesser, refusal) => refused.push(refusal)),
    };
  };
  /** Two attempts, which fill the limit until they are ended. */
  const holdTwo = (guesses: ReturnType<typeof createGuesses>) => {
    const held = Promise.withResolvers<boolean | null>();
    const runs = [guesses.run(guesser, () => held.promise), guesses.run(guesser, () => held.promise)];
    return { end: held.resolve, runs: Promise.all(runs) };
  };

  test("one more is told a second, no limit has refused it, and nothing is recorded of it", async () => {
    const { guesses, refused, decided } = build();
    const { end, runs } = holdTwo(guesses);
    await expect(guesses.run(guesser, () => Promise.resolve(true))).rejects.toMatchObject({
      reason: "rate_limited",
      retryAfterMs: 1000,
      quota: undefined,
    });
    expect([refused, decided]).toEqual([[], [true, true]]);
    end(true);
    await runs;
    expect(await guesses.run(guesser, () => Promise.resolve(true))).toBe(true);
  });

  /** One more attempt, while two are under way that then end alike. */
  const runAThird = async (outcome: boolean | null) => {
    const { guesses, refused } = build();
    const { end, runs } = holdTwo(guesses);
    const third = guesses.run(guesser, () => Promise.resolve(true)).catch((error: unknown) => error);
    setImmediate(() => end(outcome));
    await runs;
    return { answer: await third, refused };
  };

  test("one more waits, and passes when they were right", async () => {
    expect(await runAThird(true)).toEqual({ answer: true, refused: [] });
  });

  test("one more waits, and is refused when they were wrong", async () => {
    const { answer, refused } = await runAThird(null);
    expect(answer).toMatchObject({ reason: "rate_limited", quota: { policy: "failures-account-address" } });
    expect(refused).toEqual([answer]);
  });

  test("a caller who goes waits no longer", async () => {
    const { guesses } = build();
    const { end, runs } = holdTwo(guesses);
    const gone = new AbortController();
    const third = guesses.run({ ...guesser, signal: gone.signal }, () => Promise.resolve(true));
    gone.abort(new Error("gone"));
    await expect(third).rejects.toThrow("gone");
    end(true);
    await runs;
  });
});
