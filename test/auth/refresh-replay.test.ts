import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { readRefreshToken, requireTokens, type Tokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { longTimeoutMs } from "../_harness/figures.ts";
import * as given from "../_harness/given.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSessionStores, type SessionStores, storeEnv, storeKinds } from "../_harness/session-stores.ts";

const refused = { status: 401, reason: "invalid_refresh_token", tokens: null };
const reuseLine = "a refresh token was used again after its grace; its session has ended";
const catchUpLine = "a refresh token is newer than the store, which has lost a write; the store catches up";

describe.each(storeKinds)("over %s:", (kind) => {
  let service: TestService;
  let strict: TestService;
  let stores: SessionStores;
  beforeAll(async () => {
    const env = storeEnv(kind);
    service = await startService({ env });
    strict = await startService({ env: { ...env, DATABASE_URL: service.databaseUrl, REFRESH_GRACE: "0s" } });
    stores = await openSessionStores(service.databaseUrl, env);
  }, longTimeoutMs);
  afterAll(async () => {
    await stores.close();
    await strict.stop();
    await service.stop();
  });

  const begin = (url = service.url): Promise<given.TestSession> =>
    given.session({ ...service, url }, { sql: stores.sql });

  async function rotate(token: string, url = service.url): Promise<Tokens> {
    return requireTokens(await api(url).rest.refresh(token));
  }

  /** The log lines of a service that name a session. */
  function linesAbout(sid: string, { logs }: TestService = service): unknown[] {
    return logs()
      .filter((line) => line["session_id"] === sid)
      .map((line) => line["msg"]);
  }

  describe("a refresh token that was rotated out within the grace", () => {
    test("is answered with the same successor, five times in a row, and the session goes on", async () => {
      const first = await begin();
      const { refresh_token: successor } = await rotate(first.refresh_token);
      for (let count = 0; count < 5; count += 1) {
        const again = await rotate(first.refresh_token);
        expect(again.refresh_token).toBe(successor);
        expect(await api(service).rest.me(again.access_token)).toMatchObject({ status: 200 });
      }
      await rotate(successor);
      expect(await stores.readSession(first.sid)).toEqual({ generation: 2n, ended: false });
    });

    test("is answered with the current token, however many came between", async () => {
      const first = await begin();
      let current = first.refresh_token;
      for (let count = 0; count < 4; count += 1) current = (await rotate(current)).refresh_token;
      expect((await rotate(first.refresh_token)).refresh_token).toBe(current);
    });

    test("does not have its grace extended by being used", async () => {
      const first = await begin();
      await rotate(first.refresh_token);
      await stores.ageRotations(first.sid, 50);
      await rotate(first.refresh_token);
      await stores.ageRotations(first.sid, 11);
      // What is answered now is a late answer, and the only one.
      await rotate(first.refresh_token);
      expect(await api(service).rest.refresh(first.refresh_token)).toMatchObject(refused);
    });
  });

  describe("a refresh token that was rotated out before the grace", () => {
    test("is refused, and ends its session: no token of it counts any more", async () => {
      const first = await begin();
      const second = await rotate(first.refresh_token);
      const current = await rotate(second.refresh_token);
      await stores.ageRotations(first.sid, 61);
      expect(await api(service).rest.refresh(first.refresh_token)).toMatchObject(refused);
      expect(await api(service).rest.refresh(current.refresh_token)).toMatchObject(refused);
      expect(await api(service).rest.me(current.access_token)).toMatchObject({ status: 401 });
      expect(linesAbout(first.sid)).toEqual([reuseLine]);
    });

    test("is known as such however long ago that was", async () => {
      const first = await begin();
      let current = first.refresh_token;
      for (let count = 0; count < 6; count += 1) {
        current = (await rotate(current)).refresh_token;
        await stores.ageRotations(first.sid, 61);
      }
      expect(await api(service).rest.refresh(first.refresh_token)).toMatchObject(refused);
      expect(await stores.readSession(first.sid)).toEqual({ generation: 6n, ended: true });
    });

    test("is not told apart from any other by the answer", async () => {
      const first = await begin();
      await rotate((await rotate(first.refresh_token)).refresh_token);
      await stores.ageRotations(first.sid, 61);
      const { status, reason, tokens } = await api(service).rest.refresh(first.refresh_token);
      expect(await api(service).rest.refresh(first.refresh_token)).toMatchObject({ status, reason, tokens });
      expect(await api(service).rest.refresh("csr_")).toMatchObject({ status, reason, tokens });
    });
  });

  describe("within one grace", () => {
    test("a session is rotated four times at most; then the current token is the answer", async () => {
      const first = await begin();
      let current = first.refresh_token;
      for (let count = 0; count < 4; count += 1) current = (await rotate(current)).refresh_token;
      expect((await rotate(current)).refresh_token).toBe(current);
      expect((await rotate(current)).refresh_token).toBe(current);
      expect(readRefreshToken(current).generation).toBe(4n);
      // Once the oldest of the four is out of the grace, it goes on.
      await stores.ageRotations(first.sid, 61);
      expect(readRefreshToken((await rotate(current)).refresh_token).generation).toBe(5n);
    });
  });

  describe("without a grace", () => {
    test("a refresh token is good for once", async () => {
      const first = await begin(strict.url);
      const next = await rotate(first.refresh_token, strict.url);
      expect(await api(strict).rest.refresh(first.refresh_token)).toMatchObject(refused);
      expect(await api(strict).rest.refresh(next.refresh_token)).toMatchObject(refused);
      expect(linesAbout(first.sid, strict)).toEqual([reuseLine]);
    });

    test("a refresh token is good for once, though Redis forgets at once that it was used", async () => {
      const first = await begin(strict.url);
      const key = await stores.recordKey(first.sid);
      await rotate(first.refresh_token, strict.url);
      await stores.redis?.del(key);
      expect(await api(strict).rest.refresh(first.refresh_token)).toMatchObject(refused);
    });

    test("every use of the current token rotates it", async () => {
      let { refresh_token } = await begin(strict.url);
      for (let count = 0; count < 8; count += 1) {
        ({ refresh_token } = await rotate(refresh_token, strict.url));
      }
      expect(readRefreshToken(refresh_token).generation).toBe(8n);
    });
  });

  describe("a refresh token that is newer than the store", () => {
    test("is accepted: the store lost a write, and catches up", async () => {
      const first = await begin();
      const second = await rotate(first.refresh_token);
      const third = await rotate(second.refresh_token);
      await stores.loseRotations(first.sid, 2);
      const next = await rotate(third.refresh_token);
      expect(readRefreshToken(next.refresh_token).generation).toBe(3n);
      expect(await stores.readSession(first.sid)).toEqual({ generation: 3n, ended: false });
      expect(linesAbout(first.sid)).toEqual([catchUpLine]);
      // Nobody forked meanwhile: what is older is in its grace, and answered with the same token.
      for (const { refresh_token } of [third, second, first]) {
        expect((await rotate(refresh_token)).refresh_token).toBe(next.refresh_token);
      }
    });

    test("is accepted however much was lost", async () => {
      const first = await begin();
      let current = first.refresh_token;
      for (let count = 0; count < 7; count += 1) {
        current = (await rotate(current)).refresh_token;
        await stores.ageRotations(first.sid, 61);
      }
      await stores.loseRotations(first.sid, 7);
      await rotate(current);
      expect(await stores.readSession(first.sid)).toEqual({ generation: 8n, ended: false });
    });
  });
});
