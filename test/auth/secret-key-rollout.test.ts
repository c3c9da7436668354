import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { requireTokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import * as given from "../_harness/given.ts";
import { deriveKey } from "../_harness/make-refresh-token.ts";
import { startService, type TestService, testSecretKey as oldKey } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

const newKey = "the-next-secret-key-0123456789-abcdefghijklm";

// The two deploys of a roll-out: the new key is added last everywhere, then moved first.
let before: TestService;
let added: TestService;
let moved: TestService;
let sql: Client;
beforeAll(async () => {
  const env = { ISSUER: "http://localhost:8080" };
  before = await startService({ env });
  const also = { ...env, DATABASE_URL: before.databaseUrl };
  added = await startService({ env: { ...also, SECRET_KEY: `${oldKey},${newKey}` } });
  moved = await startService({ env: { ...also, SECRET_KEY: `${newKey},${oldKey}` } });
  sql = await openSql(before.databaseUrl);
});
afterAll(async () => {
  await sql.end();
  await moved.stop();
  await added.stop();
  await before.stop();
});

function keyIdOf(token: string): Buffer {
  return Buffer.from(token.slice(4), "base64url").subarray(1, 5);
}

function idOf(secret: string): Buffer {
  return deriveKey(secret, "key-id").subarray(0, 4);
}

describe("a roll-out of SECRET_KEY in two deploys", () => {
  test("logs nobody out: each instance takes the tokens of the one before and after it", async () => {
    const user = await given.user(sql);
    const first = requireTokens(await api(before).rest.login(user)).refresh_token;
    const second = requireTokens(await api(added).rest.refresh(first)).refresh_token;
    expect(keyIdOf(second)).toEqual(idOf(oldKey));
    const third = requireTokens(await api(moved).rest.refresh(second));
    expect(keyIdOf(third.refresh_token)).toEqual(idOf(newKey));
    // A replay is answered with the very same token by an instance that would itself issue with the other key.
    expect(requireTokens(await api(added).rest.refresh(second)).refresh_token).toBe(third.refresh_token);
    const fourth = requireTokens(await api(added).rest.refresh(third.refresh_token));
    expect(keyIdOf(fourth.refresh_token)).toEqual(idOf(oldKey));
    expect(requireTokens(await api(moved).rest.refresh(third.refresh_token)).refresh_token).toBe(
      fourth.refresh_token,
    );
    for (const { url } of [before, added, moved]) {
      expect(await api(url).rest.me(fourth.access_token)).toMatchObject({ status: 200 });
    }
  });

  test("refuses a token of a key that an instance does not have, and leaves its session alone", async () => {
    const user = await given.user(sql);
    const token = requireTokens(await api(moved).rest.login(user)).refresh_token;
    expect(await api(before).rest.refresh(token)).toMatchObject({
      status: 401,
      reason: "invalid_refresh_token",
    });
    requireTokens(await api(moved).rest.refresh(token));
  });
});
