import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { requireTokens, sessionIdOf, type Tokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { longTimeoutMs, printFigures, sizeOf } from "../_harness/figures.ts";
import { answered } from "../_harness/fleet.ts";
import * as given from "../_harness/given.ts";
import { createTestDatabase, startTestCluster, type TestCluster } from "../_harness/postgres.ts";
import { bearerOf } from "../_harness/rest.ts";
import { readSession } from "../_harness/rows/sessions.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSessionStores, storeEnv, storeKinds } from "../_harness/session-stores.ts";
import { withSql } from "../_harness/sql.ts";
import { untilPostgresServes } from "../_harness/store-return.ts";

const graceMs = 1000;

/** Changes one bit of the tag. */
function forge(token: string): string {
  const bytes = Buffer.from(token.slice(4), "base64url");
  bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40);
  return `csr_${bytes.toString("base64url")}`;
}

describe.each(storeKinds)("over %s:", (kind) => {
  const env = storeEnv(kind);

  let cluster: TestCluster;
  let service: TestService;
  beforeAll(async () => {
    cluster = await startTestCluster();
    const { url } = await createTestDatabase(cluster);
    service = await startService({ env: { ...env, DATABASE_URL: url, REFRESH_GRACE: `${graceMs}ms` } });
  }, longTimeoutMs);
  afterAll(async () => {
    await service.stop();
    await cluster.stop();
  });

  function begin(count: number): Promise<Tokens[]> {
    return withSql(service.databaseUrl, async (sql) => {
      const begun: Tokens[] = [];
      while (begun.length < count) {
        begun.push(await given.session(service, { sql }));
      }
      return begun;
    });
  }

  const storedSession = (tokens: Tokens) =>
    withSql(service.databaseUrl, (sql) => readSession(sql, sessionIdOf(tokens)));

  async function whilePostgresIsAway(run: () => Promise<void>): Promise<void> {
    await cluster.pause();
    try {
      await run();
    } finally {
      await cluster.start();
    }
    await untilPostgresServes(service.url);
  }

  describe("while PostgreSQL is away", () => {
    test("a forged refresh token is refused all the same, a genuine one is told to come back, and nothing happens to its session", async () => {
      const [current] = await begin(1);
      if (current === undefined) throw new Error("There is no session.");
      const token = current.refresh_token;
      await whilePostgresIsAway(async () => {
        for (let count = 0; count < 3; count += 1) {
          expect(await api(service).rest.refresh(token)).toMatchObject({
            status: 503,
            reason: "unavailable",
            tokens: null,
          });
          expect(await api(service).rest.refresh(forge(token))).toMatchObject({
            status: 401,
            reason: "invalid_refresh_token",
          });
          expect((await api(service).rest.logout(forge(token))).status).toBe(401);
        }
      });
      expect(await storedSession(current)).toEqual({ generation: 0n, ended: false });
      requireTokens(await api(service).rest.refresh(token));
    });

    test("a reused refresh token is not forgotten: it is reuse when PostgreSQL is back", async () => {
      const [first] = await begin(1);
      if (first === undefined) throw new Error("There is no session.");
      const second = requireTokens(await api(service).rest.refresh(first.refresh_token));
      requireTokens(await api(service).rest.refresh(second.refresh_token));
      const stores = await openSessionStores(service.databaseUrl, env);
      await stores.ageRotations(sessionIdOf(first), 60);
      await stores.close();
      await whilePostgresIsAway(async () => {
        expect(await api(service).rest.refresh(first.refresh_token)).toMatchObject({ status: 503 });
      });
      expect(await storedSession(first)).toEqual({ generation: 2n, ended: false });
      expect(await api(service).rest.refresh(first.refresh_token)).toMatchObject({ status: 401 });
      expect(await storedSession(first)).toEqual({ generation: 2n, ended: true });
    });

    test("a logout is never said to have succeeded", async () => {
      const [byToken, byBearer] = await begin(2);
      if (byToken === undefined || byBearer === undefined) throw new Error("There are no sessions.");
      const logOutByBearer = async () => {
        const headers = bearerOf(byBearer.access_token);
        return (await fetch(`${service.url}/auth/logout`, { method: "POST", headers })).status;
      };
      await whilePostgresIsAway(async () => {
        expect((await api(service).rest.logout(byToken.refresh_token)).status).toBe(503);
        expect(await logOutByBearer()).toBe(503);
        expect((await api(service).rest.me(byToken.access_token)).status).toBe(503);
      });
      expect((await api(service).rest.logout(byToken.refresh_token)).status).toBe(204);
      expect(await logOutByBearer()).toBe(204);
      for (const { refresh_token } of [byToken, byBearer]) {
        expect(await api(service).rest.refresh(refresh_token)).toMatchObject({ status: 401 });
      }
    });

    test(
      "for ten times the grace, under refreshes, no session is lost",
      async () => {
        const begun = await begin(sizeOf(20, 200));
        const figures = { sessions: begun.length, "503": 0, refreshed: 0 };
        let isOver = false;

        const follow = async ({ refresh_token }: Tokens): Promise<Tokens> => {
          let token = refresh_token;
          for (;;) {
            const isLast = isOver;
            const answer = await answered(api(service).rest.refresh(token));
            const tokens = answer?.tokens ?? null;
            if (tokens === null) {
              // Nothing but 503: nobody is logged out.
              if (answer?.status !== 503) throw new Error(`A refresh was answered with ${answer?.status}.`);
              figures["503"] += 1;
            } else {
              token = tokens.refresh_token;
              figures.refreshed += 1;
              if (isLast) return tokens;
            }
            // sleep: as fast as a client that works.
            await sleep(graceMs / 8 + Math.random() * 200);
          }
        };

        const following = Promise.all(begun.map(follow));
        // sleep: the load runs before, and for as long as an outage.
        await sleep(500);
        await whilePostgresIsAway(() => sleep(10 * graceMs));
        isOver = true;
        const left = await following;
        for (const tokens of left) {
          expect(await api(service).rest.me(tokens.access_token)).toMatchObject({ status: 200 });
          expect(await storedSession(tokens)).toMatchObject({ ended: false });
        }
        expect(figures["503"]).toBeGreaterThan(0);
        printFigures(`PostgreSQL away for ten times the grace over ${kind}`, figures);
      },
      longTimeoutMs,
    );
  });
});
