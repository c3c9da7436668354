import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import type { Client } from "pg";
import { readRefreshToken, requireTokens, sessionIdOf, type Tokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { addClient, postOf, type TestClient } from "../_harness/clients.ts";
import { eventually } from "../_harness/eventually.ts";
import * as given from "../_harness/given.ts";
import { makeRefreshToken } from "../_harness/make-refresh-token.ts";
import { bearerOf, send, sendForm, sendJson } from "../_harness/rest.ts";
import { readSession } from "../_harness/rows/sessions.ts";
import { startService, type TestService, testSecretKey as leakedKey } from "../_harness/service.ts";
import { createSharedDatabase } from "../_harness/shared-stores.ts";
import { createTokenSigner } from "../_harness/sign-token.ts";
import { openSql } from "../_harness/sql.ts";

// The drill for a key that has leaked: it is dropped, and whoever has it can do nothing with it any more.

jest.setTimeout(180_000);

const issuer = "http://localhost:8080";
const newKey = "the-next-secret-key-0123456789-abcdefghijklm";

let database: Awaited<ReturnType<typeof createSharedDatabase>>;
let sql: Client;
let instances: TestService[] = [];
let app: TestClient;
/** The last token of a session that was not refreshed since the new key issues. */
let hanging: Tokens;
/** A token of a session from before the new key issued, and its successor from after. */
let moved: { readonly old: Tokens; readonly next: Tokens };

/** Starts two instances with these entries of SECRET_KEY, in the place of those that ran. */
async function deploy(...secrets: string[]): Promise<void> {
  await Promise.all(instances.map((instance) => instance.stop()));
  const env = { DATABASE_URL: database.url, ISSUER: issuer, SECRET_KEY: secrets.join(",") };
  instances = [];
  instances.push(...(await Promise.all([startService({ env }), startService({ env })])));
}

// The roll-out of a new key, after which the old one is dropped.
beforeAll(async () => {
  database = await createSharedDatabase();
  await deploy(leakedKey, newKey);
  sql = await openSql(database.url);
  app = await addClient(sql, {
    firstParty: true,
    grants: ["password", "refresh_token"],
    canIntrospect: true,
  });
  hanging = await begin();
  const old = await begin();
  await deploy(newKey, leakedKey);
  moved = { old, next: requireTokens(await api(one()).rest.refresh(old.refresh_token, postOf(app))) };
  await deploy(newKey);
}, 180_000);
afterAll(async () => {
  await sql.end();
  await Promise.all(instances.map((instance) => instance.stop()));
  await database.drop();
}, 60_000);

const one = () => instances[0] ?? raise();
function raise(): never {
  throw new Error("No instance is running.");
}

/** Begins a session of the client that may introspect and revoke. */
async function begin(): Promise<Tokens> {
  const { username, password } = await given.user(sql);
  const answer = await sendForm(`${one().url}/auth/login`, { username, password, ...postOf(app) });
  return answer.json as unknown as Tokens;
}

/** Everything that a refresh token can be shown for. */
async function showEverywhere({ url }: TestService, token: string): Promise<unknown[]> {
  const fields = postOf(app);
  const refreshing = { refresh_token: token, ...fields };
  const rpc = await sendJson(`${url}/countersign.v1.AuthService/Refresh`, refreshing);
  const issued = await sendForm(`${url}/auth/token`, { grant_type: "refresh_token", ...refreshing });
  return [
    await api(url).rest.refresh(token, fields),
    [rpc.status, rpc.json["code"]],
    [issued.status, issued.json["error"]],
    (await sendForm(`${url}/auth/introspect`, { token, ...fields })).json,
    (await sendForm(`${url}/auth/revoke`, { token, ...fields })).status,
    (await sendForm(`${url}/auth/logout`, refreshing)).status,
  ];
}

const nothing = [
  { status: 401, reason: "invalid_refresh_token", tokens: null },
  [401, "unauthenticated"],
  [400, "invalid_grant"],
  { active: false },
  // RFC 7009 section 2.2: also for a token that is none.
  200,
  401,
];

describe("an entry of SECRET_KEY that is dropped", () => {
  test("mints nothing: no token of it does anything anywhere, whatever session and generation it names", async () => {
    for (const instance of instances) {
      for (const { refresh_token } of [hanging, moved.old]) {
        const { handle } = readRefreshToken(refresh_token);
        for (const generation of [0n, 1n, 2n, 100n]) {
          const forged = makeRefreshToken({ secret: leakedKey, handle, clientId: app.id, generation });
          expect(await showEverywhere(instance, forged)).toMatchObject(nothing);
        }
      }
    }
    // What was not refused would have moved or ended it.
    expect(await readSession(sql, sessionIdOf(moved.old))).toEqual({ generation: 1n, ended: false });
  });

  test("ends the sessions that still hang on it, and no other", async () => {
    for (const { url } of instances) {
      for (const { refresh_token } of [hanging, moved.old]) {
        expect(await api(url).rest.refresh(refresh_token, postOf(app))).toMatchObject({
          reason: "invalid_refresh_token",
        });
      }
    }
    for (const { refresh_token } of [moved.next, await begin()]) {
      const refreshed = requireTokens(await api(one()).rest.refresh(refresh_token, postOf(app)));
      for (const { url } of instances) {
        expect(await api(url).rest.me(refreshed.access_token)).toMatchObject({ status: 200 });
      }
    }
  });
});

describe("a signing key that is dropped", () => {
  test("signs nothing that any instance takes, and leaves the JWK set, at once and without a restart", async () => {
    const genuine = await begin();
    const kid = decodeProtectedHeader(genuine.access_token).kid ?? "";
    const forge = await createTokenSigner(one(), newKey);
    const forged = await forge(genuine.access_token, { claims: { roles: ["admin"] } });
    for (const { url } of instances) expect(await api(url).rest.me(forged)).toMatchObject({ status: 200 });

    expect(await one().command(["key", "drop", kid])).toEqual({
      code: 0,
      stdout: `dropped ${kid}\n`,
      stderr: "",
    });
    for (const { url } of instances) {
      await eventually(async () => (await api(url).rest.me(forged)).status === 401);
      expect((await send(`${url}/.well-known/jwks.json`)).text).not.toContain(kid);
      expect((await sendForm(`${url}/auth/introspect`, { token: forged, ...postOf(app) })).json).toEqual({
        active: false,
      });
      const bearer = bearerOf(forged);
      expect((await send(`${url}/auth/logout`, { method: "POST", headers: bearer })).status).toBe(401);
      expect((await send(`${url}/auth/sessions`, { method: "DELETE", headers: bearer })).status).toBe(401);
      expect((await sendForm(`${url}/auth/revoke`, { token: forged, ...postOf(app) })).status).toBe(200);
      const jwks = createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`));
      await expect(jwtVerify(forged, jwks, { issuer })).rejects.toThrow("no applicable key");
    }

    // The session itself goes on, with tokens of the next key.
    expect(await readSession(sql, sessionIdOf(genuine))).toEqual({ generation: 0n, ended: false });
    for (const { url } of instances) {
      const next = requireTokens(await api(url).rest.refresh(genuine.refresh_token, postOf(app)));
      expect(decodeProtectedHeader(next.access_token).kid).not.toBe(kid);
      for (const taking of instances) {
        expect(await api(taking).rest.me(next.access_token)).toMatchObject({ status: 200 });
      }
    }
  });
});
