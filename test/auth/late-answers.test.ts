import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { requireTokens, type Tokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { longTimeoutMs } from "../_harness/figures.ts";
import * as given from "../_harness/given.ts";
import { readRefreshEvents } from "../_harness/rows/audit.ts";
import { expireIdle } from "../_harness/rows/sessions.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSessionStores, type SessionStores, storeEnv, storeKinds } from "../_harness/session-stores.ts";

const refused = { status: 401, reason: "invalid_refresh_token", tokens: null };

describe.each(storeKinds)("over %s:", (kind) => {
  let service: TestService;
  let without: TestService;
  let stores: SessionStores;
  beforeAll(async () => {
    const env = storeEnv(kind);
    service = await startService({ env });
    without = await startService({
      env: { ...env, DATABASE_URL: service.databaseUrl, REFRESH_LATE_ANSWER: "off" },
    });
    stores = await openSessionStores(service.databaseUrl, env);
  }, longTimeoutMs);
  afterAll(async () => {
    await stores.close();
    await without.stop();
    await service.stop();
  });

  async function begin(): Promise<{ readonly token: string; readonly sid: string }> {
    const { refresh_token: token, sid } = await given.session(service, { sql: stores.sql });
    return { token, sid };
  }

  async function rotate(token: string): Promise<Tokens> {
    return requireTokens(await api(service).rest.refresh(token));
  }

  /** Refreshes, and lets the grace pass. */
  async function turn(sid: string, token: string): Promise<string> {
    const { refresh_token } = await rotate(token);
    await stores.ageRotations(sid, 61);
    return refresh_token;
  }

  async function eventsOf(sid: string): Promise<unknown[]> {
    return (await readRefreshEvents(stores.sql, sid)).map(({ type }) => type);
  }

  describe("a refresh token whose successor was never shown", () => {
    test("is answered after its grace with that successor, and the session goes on", async () => {
      const { token, sid } = await begin();
      const successor = await turn(sid, token);
      const late = await rotate(token);
      expect(late.refresh_token).toBe(successor);
      expect(await api(service).rest.me(late.access_token)).toMatchObject({ status: 200 });
      await rotate(successor);
      expect(await stores.readSession(sid)).toEqual({ generation: 2n, ended: false });
      expect(await eventsOf(sid)).toEqual(["refresh.late_answer"]);
    });

    test("is answered once: the second time it is reuse, also where Redis has forgotten everything", async () => {
      const { token, sid } = await begin();
      await turn(sid, token);
      await rotate(token);
      await stores.redis?.del(await stores.recordKey(sid));
      expect(await api(service).rest.refresh(token)).toMatchObject(refused);
      expect(await stores.readSession(sid)).toEqual({ generation: 1n, ended: true });
      expect(await eventsOf(sid)).toEqual(["refresh.late_answer", "refresh.reused"]);
    });

    test("is not answered late right after a late answer, and is again two rotations later", async () => {
      const [twice, later] = [await begin(), await begin()];
      for (const { token, sid } of [twice, later]) await turn(sid, token);
      const again = await turn(twice.sid, twice.token);
      await turn(twice.sid, again);
      expect(await api(service).rest.refresh(again)).toMatchObject(refused);
      expect(await stores.readSession(twice.sid)).toMatchObject({ ended: true });

      const next = await turn(later.sid, await turn(later.sid, later.token));
      const lost = await turn(later.sid, next);
      expect((await rotate(next)).refresh_token).toBe(lost);
      expect(await eventsOf(later.sid)).toEqual(["refresh.late_answer", "refresh.late_answer"]);
    });

    test("is reuse where late answers are off", async () => {
      const { token, sid } = await begin();
      await turn(sid, token);
      expect(await api(without).rest.refresh(token)).toMatchObject(refused);
      expect(await stores.readSession(sid)).toEqual({ generation: 1n, ended: true });
    });

    test("is refused when the session was idle for too long", async () => {
      const { token, sid } = await begin();
      await turn(sid, token);
      await expireIdle(stores.sql, sid);
      expect(await api(service).rest.refresh(token)).toMatchObject(refused);
      expect(await eventsOf(sid)).toEqual([]);
    });
  });

  test("a refresh token whose successor was shown, and stayed the current one, is reuse after its grace", async () => {
    const { token, sid } = await begin();
    let [parent, current] = ["", token];
    for (let count = 0; count < 4; count += 1) {
      [parent, current] = [current, (await rotate(current)).refresh_token];
    }
    expect((await rotate(current)).refresh_token).toBe(current);
    await stores.ageRotations(sid, 61);
    expect(await api(service).rest.refresh(parent)).toMatchObject(refused);
    expect(await stores.readSession(sid)).toEqual({ generation: 4n, ended: true });
  });

  test("a thief and a victim who take turns are told apart in the second round", async () => {
    for (const first of ["thief", "victim"] as const) {
      const { token, sid } = await begin();
      const held = { thief: token, victim: token };
      const second = first === "thief" ? "victim" : "thief";
      held[first] = await turn(sid, held[first]);
      held[second] = await turn(sid, held[second]);
      held[first] = await turn(sid, held[first]);
      expect(await api(service).rest.refresh(held[second])).toMatchObject(refused);
      expect(await api(service).rest.refresh(held[first])).toMatchObject(refused);
      expect(await eventsOf(sid)).toEqual(["refresh.late_answer", "refresh.reused"]);
    }
  });
});
