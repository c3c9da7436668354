import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type CuttingProxy, startCuttingProxy } from "../_harness/cutting-proxy.ts";
import { eventually } from "../_harness/eventually.ts";
import { longTimeoutMs } from "../_harness/figures.ts";
import { answered } from "../_harness/fleet.ts";
import { startService, type TestService } from "../_harness/service.ts";
import {
  addUser,
  logOut,
  readRefreshToken,
  refresh,
  requireTokens,
  sessionIdOf,
  signIn,
  type Tokens,
  whoAmI,
} from "../_harness/session-client.ts";
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

  async function begin(): Promise<Tokens & { readonly sid: string }> {
    const tokens = requireTokens(await signIn(proxy.url, await addUser(stores.sql, service.admin)));
    return { ...tokens, sid: sessionIdOf(tokens) };
  }

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
      let token = await begin();
      for (let step = 1n; step <= 3n; step += 1n) {
        const lost = token;
        await lose(() => refresh(proxy.url, lost.refresh_token));
        expect(await stores.readSession(token.sid)).toEqual({ generation: step, ended: false });
        // Some of the retries' answers are lost as well.
        await lose(() => refresh(proxy.url, lost.refresh_token));
        const answers: string[] = [];
        for (let count = 0; count < 5; count += 1) {
          const next = requireTokens(await refresh(proxy.url, lost.refresh_token));
          answers.push(next.refresh_token);
          token = { ...next, sid: token.sid };
        }
        expect(new Set(answers).size).toBe(1);
        expect(readRefreshToken(token.refresh_token).generation).toBe(step);
      }
      expect(await whoAmI(proxy.url, token.access_token)).toMatchObject({ status: 200 });
    });

    test.each([
      ["10 minutes", 600],
      ["an hour", 3600],
      ["a day", 86_400],
    ])("a refresh that is retried after %s is answered, and the session goes on", async (_, seconds) => {
      const first = await begin();
      await lose(() => refresh(proxy.url, first.refresh_token));
      await stores.ageRotations(first.sid, seconds);
      const late = requireTokens(await refresh(proxy.url, first.refresh_token));
      expect(readRefreshToken(late.refresh_token).generation).toBe(1n);
      expect(await whoAmI(proxy.url, late.access_token)).toMatchObject({ status: 200 });
      const next = requireTokens(await refresh(proxy.url, late.refresh_token));
      expect(readRefreshToken(next.refresh_token).generation).toBe(2n);
      expect(await stores.readSession(first.sid)).toEqual({ generation: 2n, ended: false });
    });

    test("a refresh that is retried after the grace a second time is reuse: the session ends, and the audit trail says so", async () => {
      const first = await begin();
      await lose(() => refresh(proxy.url, first.refresh_token));
      await stores.ageRotations(first.sid, 61);
      await lose(() => refresh(proxy.url, first.refresh_token));
      expect(await refresh(proxy.url, first.refresh_token)).toMatchObject({
        reason: "invalid_refresh_token",
      });
      expect(await stores.readSession(first.sid)).toEqual({ generation: 1n, ended: true });
      const { rows } = await stores.sql.query(
        "select type, reason from audit_events where session_id = $1 and type = 'refresh.reused'",
        [first.sid],
      );
      expect(rows).toEqual([{ type: "refresh.reused", reason: "reused" }]);
      await eventually(() => service.logs().some((line) => line["session_id"] === first.sid));
    });

    test("a logout has ended the session, and its retry succeeds", async () => {
      const tokens = await begin();
      await lose(() => logOut(proxy.url, tokens.refresh_token));
      expect(await stores.readSession(tokens.sid)).toMatchObject({ ended: true });
      expect(await logOut(proxy.url, tokens.refresh_token)).toBe(204);
    });

    test("a login has begun a session that nobody holds, and its retry begins another", async () => {
      const user = await addUser(stores.sql, service.admin);
      await lose(() => signIn(proxy.url, user));
      requireTokens(await signIn(proxy.url, user));
      const { rows } = await stores.sql.query("select 1 from sessions where user_id = $1", [user.id]);
      expect(rows).toHaveLength(2);
    });
  });
});
