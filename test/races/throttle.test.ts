import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { api } from "../_harness/api.ts";
import { longTimeoutMs, sizeOf } from "../_harness/figures.ts";
import { type Fleet, startFleet } from "../_harness/fleet.ts";
import * as given from "../_harness/given.ts";
import { addressOf, countStatuses, trustingLoopback } from "../_harness/guessing.ts";
import { startRedis, type TestRedis } from "../_harness/redis.ts";

const limit = 7;
const guesses = sizeOf(60, 600);

let redis: TestRedis;
let fleet: Fleet;
beforeAll(async () => {
  redis = await startRedis();
  fleet = await startFleet(3, {
    workersOfFirst: 4,
    env: {
      ...trustingLoopback,
      REDIS_URL: redis.url,
      HASH_QUEUE_MAX: "10000",
      // A machine that runs many tests is slow, and an instance that goes without Redis counts its own share.
      REDIS_TIMEOUT: "5s",
      // Days for one attempt: what passes in this test passes at once.
      THROTTLE_FAILURES_ACCOUNT_ADDRESS: `${limit}/30d`,
      THROTTLE_FAILURES_ACCOUNT: `${2 * limit}/30d`,
    },
  });
}, longTimeoutMs);
afterAll(async () => {
  await fleet.stop();
  await redis.stop();
});

/** Wrong passwords side by side, over all instances in turn. */
function guessAtOnce(username: string, addressAt: (guess: number) => string) {
  return Promise.all(
    Array.from({ length: guesses }, (_, guess) =>
      api(fleet.nextUrl()).rest.login({ username, address: addressAt(guess) }),
    ),
  );
}

describe("of wrong passwords side by side over three instances, one of them with four workers", () => {
  test(
    "exactly as many pass as the limit of an address on an account says",
    async () => {
      await given.user(fleet, { username: "one-address" });
      const answers = await guessAtOnce("one-address", () => "192.0.2.1");
      expect(countStatuses(answers)).toEqual({ 401: limit, 429: guesses - limit });
    },
    longTimeoutMs,
  );

  test(
    "exactly as many pass for a name that does not exist",
    async () => {
      const answers = await guessAtOnce("nobody", () => "192.0.2.1");
      expect(countStatuses(answers)).toEqual({ 401: limit, 429: guesses - limit });
    },
    longTimeoutMs,
  );

  test(
    "exactly as many pass as the limit of an account says, and then one for each other address",
    async () => {
      await given.user(fleet, { username: "many-addresses" });
      const atOnce = await Promise.all(
        Array.from({ length: 2 * limit }, (_, guess) =>
          api(fleet.nextUrl()).rest.login({ username: "many-addresses", address: addressOf(guess % 2) }),
        ),
      );
      expect(countStatuses(atOnce)).toEqual({ 401: 2 * limit });
      // Fewer from each address than its own limit on the account.
      const addresses = guesses / (limit - 1);
      const answers = await guessAtOnce("many-addresses", (guess) => addressOf(1000 + (guess % addresses)));
      expect(countStatuses(answers)).toEqual({ 401: addresses, 429: guesses - addresses });
    },
    longTimeoutMs,
  );
});

describe("right passwords side by side", () => {
  test(
    "all pass where there is room for all, and leave the limits as they were",
    async () => {
      const user = await given.user(fleet, { username: "right" });
      for (let round = 0; round < 3; round += 1) {
        const answers = await Promise.all(
          Array.from({ length: limit }, () =>
            api(fleet.nextUrl()).rest.login({ ...user, address: "192.0.2.1" }),
          ),
        );
        expect(countStatuses(answers)).toEqual({ 200: limit });
      }
      const answers = await guessAtOnce(user.username, () => "192.0.2.1");
      expect(countStatuses(answers)).toEqual({ 401: limit, 429: guesses - limit });
    },
    longTimeoutMs,
  );

  test(
    "all pass where there are more than there is room for: those under way are no failures",
    async () => {
      const user = await given.user(fleet, { username: "many-at-once" });
      for (let round = 0; round < 3; round += 1) {
        const answers = await Promise.all(
          Array.from({ length: limit + 4 }, () =>
            api(fleet.nextUrl()).rest.login({ ...user, address: "192.0.2.2" }),
          ),
        );
        expect(countStatuses(answers)).toEqual({ 200: limit + 4 });
      }
    },
    longTimeoutMs,
  );

  test(
    "pass beside wrong ones that use the limit up, or are told to come back; of the wrong ones no more pass than alone",
    async () => {
      const user = await given.user(fleet, { username: "both-at-once" });
      const addresses = (attempt: number) => ({ address: attempt % 2 === 0 ? "192.0.2.3" : "192.0.2.4" });
      const answers = await Promise.all(
        Array.from({ length: guesses }, async (_, attempt) => {
          const isRight = attempt % 4 === 0;
          const given = isRight ? user : { username: user.username };
          return { isRight, ...(await api(fleet.nextUrl()).rest.login({ ...given, ...addresses(attempt) })) };
        }),
      );
      const wrong = countStatuses(answers.filter(({ isRight }) => !isRight));
      expect(wrong[401]).toBe(2 * limit);
      expect(Object.keys(countStatuses(answers.filter(({ isRight }) => isRight)))).toEqual(
        expect.not.arrayContaining(["401", "500", "503"]),
      );
    },
    longTimeoutMs,
  );
});
