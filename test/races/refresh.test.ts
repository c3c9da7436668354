import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { longTimeoutMs, printFigures, sizeOf } from "../_harness/figures.ts";
import { answered, type Fleet, retry, startFleet } from "../_harness/fleet.ts";
import {
  addUser,
  readRefreshToken,
  refresh,
  requireTokens,
  sessionIdOf,
  signIn,
  type Tokens,
  whoAmI,
} from "../_harness/session-client.ts";
import { ageRotations, readSession } from "../_harness/session-rows.ts";
import { openSql } from "../_harness/sql.ts";

const parallel = 200;

async function begin(fleet: Fleet, sql: Client): Promise<Tokens> {
  return requireTokens(await signIn(fleet.nextUrl(), await addUser(sql, fleet.admin)));
}

/** The refresh token of a refresh that must succeed. */
async function rotate(url: string, token: string): Promise<string> {
  return requireTokens(await refresh(url, token)).refresh_token;
}

let fleet: Fleet;
let sql: Client;
beforeAll(async () => {
  fleet = await startFleet(3);
  sql = await openSql(fleet.databaseUrl);
}, 60_000);
afterAll(async () => {
  await sql.end();
  await fleet.stop();
});

describe("200 parallel refreshes of one token, by three processes over one PostgreSQL", () => {
  test(
    "are all answered, with one successor, and the counter moves by one",
    async () => {
      const first = await begin(fleet, sql);
      let token = first.refresh_token;
      const sid = sessionIdOf(first);
      const rounds = sizeOf(2, 20);
      const startMs = performance.now();
      for (let round = 1; round <= rounds; round += 1) {
        const answers = await Promise.all(
          Array.from({ length: parallel }, () => refresh(fleet.nextUrl(), token)),
        );
        expect(answers.filter(({ status }) => status === 200)).toHaveLength(parallel);
        const successors = new Set(answers.map((answer) => requireTokens(answer).refresh_token));
        expect(successors.size).toBe(1);
        expect(await readSession(sql, sid)).toEqual({ generation: BigInt(round), ended: false });
        for (const url of fleet.urls()) {
          expect(await whoAmI(url, answers[0]?.tokens?.access_token ?? "")).toMatchObject({ status: 200 });
        }
        [token = ""] = successors;
        await ageRotations(sql, sid, 61);
      }
      const tookMs = Math.round(performance.now() - startMs);
      printFigures("parallel refreshes", {
        rounds,
        answered: rounds * parallel,
        successors: rounds,
        ms: tookMs,
      });
    },
    longTimeoutMs,
  );

  test("of tokens of several generations all lead to one line", async () => {
    const first = (await begin(fleet, sql)).refresh_token;
    const second = await rotate(fleet.nextUrl(), first);
    const third = await rotate(fleet.nextUrl(), second);
    const tokens = Array.from({ length: 60 }, (_, index) => [first, second, third][index % 3] ?? "");
    const answers = await Promise.all(tokens.map((token) => rotate(fleet.nextUrl(), token)));
    const generations = new Map(answers.map((token) => [readRefreshToken(token).generation, token]));
    expect([...generations.keys()].every((generation) => generation === 2n || generation === 3n)).toBe(true);
    expect(new Set(answers).size).toBe(generations.size);
  });
});

describe("refreshes while the service's processes are killed and started again", () => {
  test(
    "strand no client that retries within the grace, and fork no session",
    async () => {
      const [sessions, kills] = [sizeOf(6, 40), sizeOf(4, 40)];
      const begun: Tokens[] = [];
      while (begun.length < sessions) begun.push(await begin(fleet, sql));
      const figures = { sessions, kills, steps: 0, unanswered: 0 };
      const isOver = new AbortController();

      const refreshStubbornly = (token: string) =>
        retry(40_000, async () => {
          const answer = await answered(refresh(fleet.nextUrl(), token));
          if (answer === null) figures.unanswered += 1;
          if (answer?.status === 401) throw new Error(`A client was logged out: ${answer.reason}`);
          return answer?.tokens?.refresh_token ?? null;
        });

      /** Tabs of one client: all show the current token at once, each to the process that is next. */
      const step = async (token: string): Promise<string> => {
        const answers = await Promise.all([1, 2, 3].map(() => refreshStubbornly(token)));
        // One line: whoever shows the same token gets the same successor, from every process.
        expect(new Set(answers).size).toBe(1);
        const [successor = ""] = answers;
        expect(readRefreshToken(successor).generation).toBe(readRefreshToken(token).generation + 1n);
        figures.steps += 1;
        return successor;
      };

      const follow = async (tokens: Tokens): Promise<bigint> => {
        const connection = await openSql(fleet.databaseUrl);
        let token = tokens.refresh_token;
        while (!isOver.signal.aborted) {
          token = await step(token);
          // As if a quarter of the grace had passed: four rotations are made within one.
          await ageRotations(connection, sessionIdOf(tokens), 16);
        }
        await connection.end();
        return readRefreshToken(await step(token)).generation;
      };

      const kill = async (): Promise<void> => {
        for (let count = 0; count < kills; count += 1) {
          await sleep(Math.random() * 400);
          await fleet.replace(count % 3);
        }
      };

      const killing = kill().finally(() => isOver.abort());
      const [generations] = await Promise.all([Promise.all(begun.map(follow)), killing]);
      for (const [index, tokens] of begun.entries()) {
        expect(await readSession(sql, sessionIdOf(tokens))).toEqual({
          generation: generations[index],
          ended: false,
        });
      }
      printFigures("refreshes under kill -9", figures);
    },
    longTimeoutMs,
  );
});
