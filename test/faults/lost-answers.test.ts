import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { readRefreshToken, requireTokens, type Tokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { type CuttingProxy, startCuttingProxy } from "../_harness/cutting-proxy.ts";
import { eventually } from "../_harness/eventually.ts";
import { longTimeoutMs } from "../_harness/figures.ts";
import { answered } from "../_harness/fleet.ts";
import * as given from "../_harness/given.ts";
import { readRefreshEvents } from "../_harness/rows/audit.ts";
import { countSessions } from "../_harness/rows/sessions.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSessionStores, type SessionStores, storeEnv, storeKinds } from "../_harness/session-stores.ts";

describe.each(storeKinds)("over %s:", (kind) => {
  let service: TestService;
  let proxy: CuttingProxy;
  let stores: SessionStores;
  beforeAll(async () => {
    const env = storeEnv(kind);
    service = await startService({ env });
    proxy = await startCuttingProxy(service.port);
    stores = await openSessionStores(service.databaseUrl, env);
  }, longTimeoutMs);
  afterAll(async () => {
    await stores.close();
    await proxy.close();
    await service.stop();
  });

  const begin = (): Promise<given.TestSession> =>
    given.session({ ...service, url: proxy.url }, { sql: stores.sql });

  /** Does something whose answer never arrives. */
  async function lose(call: () => Promise<unknown>): Promise<void> {
    const before = proxy.cuts;
    proxy.isCutting = true;
    expect(await answered(call())).toBeNull();
    proxy.isCutting = false;
    expect(proxy.cuts).toBe(before + 1);
  }

  describe("when an answer is lost on the wire after the store's commit", () => {
    test("a refresh that is retried within the grace gets the same successor, five times in a row", async () => {
      let token: Tokens & { readonly sid: string } = await begin();
      for (let step = 1n; step <= 3n; step += 1n) {
        const lost = token;
        await lose(() => api(proxy).rest.refresh(lost.refresh_token));
        expect(await stores.readSession(token.sid)).toEqual({ generation: step, ended: false });
        // Some of the retries' answers are lost as well.
        await lose(() => api(proxy).rest.refresh(lost.refresh_token));
        const answers: string[] = [];
        for (let count = 0; count < 5; count += 1) {
          const next = requireTokens(await api(proxy).rest.refresh(lost.refresh_token));
          answers.push(next.refresh_token);
          token = { ...next, sid: token.sid };
        }
        expect(new Set(answers).size).toBe(1);
        expect(readRefreshToken(token.refresh_token).generation).toBe(step);
      }
      expect(await api(proxy).rest.me(token.access_token)).toMatchObject({ status: 200 });
    });

    test.each([
      ["10 minutes", 600],
      ["an hour", 3600],
      ["a day", 86_400],
    ])("a refresh that is retried after %s is answered, and the session goes on", async (_, seconds) => {
      const first = await begin();
      await lose(() => api(proxy).rest.refresh(first.refresh_token));
      await stores.ageRotations(first.sid, seconds);
      const late = requireTokens(await api(proxy).rest.refresh(first.refresh_token));
      expect(readRefreshToken(late.refresh_token).generation).toBe(1n);
      expect(await api(proxy).rest.me(late.access_token)).toMatchObject({ status: 200 });
      const next = requireTokens(await api(proxy).rest.refresh(late.refresh_token));
      expect(readRefreshToken(next.refresh_token).generation).toBe(2n);
      expect(await stores.readSession(first.sid)).toEqual({ generation: 2n, ended: false });
    });

    test("a refresh that is retried after the grace a second time is reuse: the session ends, and the audit trail says so", async () => {
      const first = await begin();
      await lose(() => api(proxy).rest.refresh(first.refresh_token));
      await stores.ageRotations(first.sid, 61);
      await lose(() => api(proxy).rest.refresh(first.refresh_token));
      expect(await api(proxy).rest.refresh(first.refresh_token)).toMatchObject({
        reason: "invalid_refresh_token",
      });
      expect(await stores.readSession(first.sid)).toEqual({ generation: 1n, ended: true });
      const events = await readRefreshEvents(stores.sql, first.sid);
      expect(events.filter(({ type }) => type === "refresh.reused")).toEqual([
        { type: "refresh.reused", reason: "reused" },
      ]);
      await eventually(() => service.logs().some((line) => line["session_id"] === first.sid));
    });

    test("a logout has ended the session, and its retry succeeds", async () => {
      const tokens = await begin();
      await lose(() => api(proxy).rest.logout(tokens.refresh_token));
      expect(await stores.readSession(tokens.sid)).toMatchObject({ ended: true });
      expect((await api(proxy).rest.logout(tokens.refresh_token)).status).toBe(204);
    });

    test("a login has begun a session that nobody holds, and its retry begins another", async () => {
      const user = await given.user(stores.sql);
      await lose(() => api(proxy).rest.login(user));
      requireTokens(await api(proxy).rest.login(user));
      expect(await countSessions(stores.sql, user.id)).toBe(2);
    });
  });
});
