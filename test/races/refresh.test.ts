import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  type Answer,
  readRefreshToken,
  requireTokens,
  sessionIdOf,
  type Tokens,
} from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { retry } from "../_harness/eventually.ts";
import { longTimeoutMs, printFigures, sizeOf } from "../_harness/figures.ts";
import { answered, type Fleet, startFleet } from "../_harness/fleet.ts";
import * as given from "../_harness/given.ts";
import { startRedis, type TestRedis } from "../_harness/redis.ts";
import { openSessionStores, type SessionStores, storeEnv, storeKinds } from "../_harness/session-stores.ts";

const parallel = 200;
/** More are not made within one grace (docs/guarantees.md). */
const rotationsPerGrace = 4;

const begin = (fleet: Fleet, { sql }: SessionStores): Promise<Tokens> =>
  given.session({ url: fleet.nextUrl(), databaseUrl: fleet.databaseUrl }, { sql });

/** The refresh token of a refresh that must succeed. */
async function rotate(url: string, token: string): Promise<string> {
  return requireTokens(await api(url).rest.refresh(token)).refresh_token;
}

/** Refreshes one token many times at once; answers the one successor. */
async function refreshAtOnce(fleet: Fleet, token: string): Promise<Tokens> {
  const answers = await Promise.all(
    Array.from({ length: parallel }, () => api(fleet.nextUrl()).rest.refresh(token)),
  );
  expect(answers.map(({ status }) => status).filter((status) => status !== 200)).toEqual([]);
  expect(new Set(answers.map((answer) => requireTokens(answer).refresh_token)).size).toBe(1);
  const [first] = answers;
  if (first === undefined) throw new Error("There is no answer.");
  return requireTokens(first);
}

describe.each(storeKinds)("over %s:", (kind) => {
  let fleet: Fleet;
  let stores: SessionStores;
  beforeAll(async () => {
    const env = { ...storeEnv(kind), MAX_SESSIONS_PER_USER: "10000" };
    fleet = await startFleet(3, { env, workersOfFirst: 4 });
    stores = await openSessionStores(fleet.databaseUrl, env);
  }, longTimeoutMs);
  afterAll(async () => {
    await stores.close();
    await fleet.stop();
  });

  describe("200 parallel refreshes of one token, by three instances, one of them with four workers", () => {
    test(
      "are all answered, with one successor, and the counter moves by one",
      async () => {
        const first = await begin(fleet, stores);
        let token = first.refresh_token;
        const sid = sessionIdOf(first);
        const rounds = sizeOf(2, 200);
        const startMs = performance.now();
        for (let round = 1; round <= rounds; round += 1) {
          const next = await refreshAtOnce(fleet, token);
          expect(await stores.readSession(sid)).toEqual({ generation: BigInt(round), ended: false });
          for (const url of fleet.urls()) {
            expect(await api(url).rest.me(next.access_token)).toMatchObject({ status: 200 });
          }
          token = next.refresh_token;
          await stores.ageRotations(sid, 61);
        }
        const tookMs = Math.round(performance.now() - startMs);
        printFigures(`parallel refreshes over ${kind}`, {
          rounds,
          answered: rounds * parallel,
          successors: rounds,
          ms: tookMs,
        });
      },
      longTimeoutMs,
    );

    test("of tokens of several generations all get one current token", async () => {
      const first = (await begin(fleet, stores)).refresh_token;
      const second = await rotate(fleet.nextUrl(), first);
      const third = await rotate(fleet.nextUrl(), second);
      const tokens = Array.from({ length: 60 }, (_, index) => [first, second, third][index % 3] ?? "");
      const answers = await Promise.all(tokens.map((token) => rotate(fleet.nextUrl(), token)));
      const generations = new Map(answers.map((token) => [readRefreshToken(token).generation, token]));
      expect([...generations.keys()].every((generation) => generation === 2n || generation === 3n)).toBe(
        true,
      );
      expect(new Set(answers).size).toBe(generations.size);
    });
  });

  describe("refreshes while the service's processes are killed and started again", () => {
    test(
      "strand no client that retries within the grace, and fork no session",
      async () => {
        const [clients, kills] = [sizeOf(6, 40), sizeOf(4, 40)];
        const figures = { clients, kills, sessions: 0, refreshes: 0, unanswered: 0 };
        const isOver = new AbortController();

        /** An answer of whichever process gives one. */
        const ask = (call: (url: string) => Promise<Answer>, whatIsKnown: () => Promise<string>) =>
          retry(40_000, async () => {
            const answer = await answered(call(fleet.nextUrl()));
            if (answer === null) figures.unanswered += 1;
            if (answer?.status === 401) {
              throw new Error(`A client was logged out: ${answer.reason}, ${await whatIsKnown()}`);
            }
            return answer?.tokens ?? null;
          });

        /** Tabs of one client: all show the current token at once, each to the process that is next. */
        const refreshInTabs = async (token: string, sid: string): Promise<string> => {
          const refreshed = () =>
            ask(
              (url) => api(url).rest.refresh(token),
              () => stores.tell(sid),
            );
          const answers = await Promise.all([refreshed(), refreshed(), refreshed()]);
          // One line: whoever shows the same token gets the same successor, from every process.
          expect(new Set(answers.map(({ refresh_token }) => refresh_token)).size).toBe(1);
          const successor = answers[0].refresh_token;
          expect(readRefreshToken(successor).generation).toBe(readRefreshToken(token).generation + 1n);
          figures.refreshes += answers.length;
          return successor;
        };

        /** Signs in again and again, and refreshes as often as one grace allows. */
        const useSessions = async (user: given.TestUser): Promise<string[]> => {
          const sids: string[] = [];
          while (!isOver.signal.aborted) {
            const begun = await ask(
              (url) => api(url).rest.login(user),
              () => Promise.resolve("at its login"),
            );
            const sid = sessionIdOf(begun);
            let token = begun.refresh_token;
            for (let count = 0; count < rotationsPerGrace; count += 1) {
              token = await refreshInTabs(token, sid);
            }
            sids.push(sid);
          }
          return sids;
        };

        const kill = async (): Promise<void> => {
          for (let count = 0; count < kills; count += 1) {
            // sleep: the kill meets any moment.
            await sleep(Math.random() * 400);
            await fleet.replace(count % 3);
          }
        };

        const users: given.TestUser[] = [];
        while (users.length < clients) users.push(await given.user(stores.sql));
        const killing = kill().finally(() => isOver.abort());
        const [used] = await Promise.all([Promise.all(users.map(useSessions)), killing]);
        for (const sid of used.flat()) {
          expect(await stores.readSession(sid)).toEqual({
            generation: BigInt(rotationsPerGrace),
            ended: false,
          });
          figures.sessions += 1;
        }
        printFigures(`refreshes under kill -9 over ${kind}`, figures);
      },
      longTimeoutMs,
    );
  });
});

describe("200 parallel refreshes of one token while Redis is killed and started again", () => {
  let redis: TestRedis;
  let fleet: Fleet;
  let stores: SessionStores;
  beforeAll(async () => {
    redis = await startRedis();
    const env = storeEnv("Redis and PostgreSQL", redis.url);
    fleet = await startFleet(3, { env });
    stores = await openSessionStores(fleet.databaseUrl, env);
  }, longTimeoutMs);
  afterAll(async () => {
    await stores.close();
    await fleet.stop();
    await redis.stop();
  });

  test(
    "are all answered, with one successor, and no client is stranded",
    async () => {
      const first = await begin(fleet, stores);
      const sid = sessionIdOf(first);
      let token = first.refresh_token;
      const rounds = sizeOf(3, 200);
      for (let round = 1; round <= rounds; round += 1) {
        // sleep: the kill meets any moment.
        const killing = sleep(Math.random() * 300).then(async () => {
          await redis.kill9();
          redis = await startRedis({ port: redis.port });
        });
        const next = await refreshAtOnce(fleet, token);
        await killing;
        // Whoever retries now gets the same, from whichever store.
        expect(await rotate(fleet.nextUrl(), token)).toBe(next.refresh_token);
        token = next.refresh_token;
        expect(readRefreshToken(token).generation).toBe(BigInt(round));
        expect(await stores.readSession(sid)).toEqual({ generation: BigInt(round), ended: false });
        await stores.ageRotations(sid, 61);
      }
      printFigures("parallel refreshes while Redis is killed", { rounds, answered: rounds * parallel });
    },
    longTimeoutMs,
  );
});
