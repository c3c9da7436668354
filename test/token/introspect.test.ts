import { setTimeout as delay } from "node:timers/promises";
import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { decodeJwt } from "jose";
import type { Client } from "pg";
import { requireTokens, sessionIdOf, type Tokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { addClient, basicOf, postOf, type TestClient } from "../_harness/clients.ts";
import * as given from "../_harness/given.ts";
import { basic, bearerOf, sendForm, sendJson } from "../_harness/rest.ts";
import { deleteClient } from "../_harness/rows/clients.ts";
import { ageRotations, expireIdle, readSession } from "../_harness/rows/sessions.ts";
import { changeUser } from "../_harness/rows/users.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { createTokenSigner } from "../_harness/sign-token.ts";
import { openSql } from "../_harness/sql.ts";
import { textOf } from "../_harness/text-of.ts";

// RFC 7662; section 4 of the contract.

const audience = "https://api.example.org";
const own = { firstParty: true, grants: ["password", "refresh_token", "client_credentials"] } as const;

let service: TestService;
let sql: Client;
let user: Awaited<ReturnType<typeof given.user>>;
let app: TestClient;
let resource: TestClient;
let other: TestClient;
beforeAll(async () => {
  service = await startService();
  sql = await openSql(service.databaseUrl);
  user = await given.user(sql, { roles: ["support"] });
  app = await addClient(sql, { ...own, scopes: ["a", "b"], audience, canIntrospect: true });
  resource = await addClient(sql, { audience, canIntrospect: true });
  other = await addClient(sql, { ...own, audiences: ["https://other.example.org"], canIntrospect: true });
});
afterAll(async () => {
  await sql.end();
  await service.stop();
});

const introspect = (client: TestClient, token: string) =>
  sendForm(`${service.url}/auth/introspect`, { token }, basicOf(client));

async function isActive(client: TestClient, token: string): Promise<unknown> {
  const { status, json } = await introspect(client, token);
  expect(status).toBe(200);
  // Nothing else is told of a token that is not active.
  expect(json["active"] === false ? json : { active: false }).toEqual({ active: false });
  return json["active"];
}

async function grant(client: TestClient, input: Readonly<Record<string, string>>): Promise<JsonObject> {
  const { status, json } = await sendForm(`${service.url}/auth/token`, input, basicOf(client));
  expect(status).toBe(200);
  return json;
}

const begin = async (client: TestClient, more: Readonly<Record<string, string>> = {}): Promise<Tokens> => {
  const { username, password } = user;
  return (await grant(client, { grant_type: "password", username, password, ...more })) as unknown as Tokens;
};

const tokenOf = async (client: TestClient): Promise<string> =>
  textOf((await grant(client, { grant_type: "client_credentials" }))["access_token"]);

describe("of an active token is told", () => {
  test("what a user's access token says, and whose it is", async () => {
    const { access_token: token } = await begin(app, { scope: "b a" });
    const { exp, iat, jti, sid } = decodeJwt(token);
    const answer = await introspect(resource, token);
    expect(answer.json).toEqual({
      active: true,
      scope: "b a",
      client_id: app.id,
      username: user.username,
      token_type: "bearer",
      exp,
      iat,
      sub: user.id,
      aud: [audience, `http://localhost:${service.port}`],
      iss: `http://localhost:${service.port}`,
      jti,
      sid,
      roles: ["support"],
    });
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("content-type")).toBe("application/json");
  });

  test("what a client's own token says", async () => {
    const token = await tokenOf(app);
    const { exp, iat, jti } = decodeJwt(token);
    expect((await introspect(resource, token)).json).toEqual({
      active: true,
      client_id: app.id,
      token_type: "bearer",
      exp,
      iat,
      sub: app.id,
      aud: [audience],
      iss: `http://localhost:${service.port}`,
      jti,
    });
  });

  test("what a refresh token is good for", async () => {
    const tokens = await begin(app, { scope: "a" });
    const { json } = await introspect(app, tokens.refresh_token);
    const { iat } = decodeJwt(tokens.access_token);
    expect(json).toEqual({
      active: true,
      scope: "a",
      client_id: app.id,
      username: user.username,
      exp: expect.any(Number),
      iat,
      sub: user.id,
      iss: `http://localhost:${service.port}`,
      sid: sessionIdOf(tokens),
      roles: ["support"],
    });
    const days = (Number(json["exp"]) - Number(iat)) / 86_400;
    expect(Math.round(days)).toBe(30);
  });

  test("the same, whatever the hint, and with JSON", async () => {
    const { access_token, refresh_token } = await begin(app);
    for (const token_type_hint of ["access_token", "refresh_token", "pct"]) {
      for (const token of [access_token, refresh_token]) {
        const input = { token, token_type_hint, ...postOf(app) };
        expect((await sendJson(`${service.url}/auth/introspect`, input)).json["active"]).toBe(true);
      }
    }
  });
});

describe("is not active, and nothing else is told,", () => {
  test("what is no token, or not ours", async () => {
    const sign = await createTokenSigner(service);
    const { access_token: token, refresh_token } = await begin(app);
    const forged = `${refresh_token.slice(0, -6)}AAAAAA`;
    const others = ["x", "csr_", "a.b.c", token.slice(0, -10), `${token}A`, forged];
    for (const text of others) expect(await isActive(app, text)).toBe(false);
    expect(await isActive(app, await sign(token, {}))).toBe(true);
    for (const claims of [{ exp: 1 }, { iss: "https://other.example.org" }, { sid: "ses_none" }]) {
      expect(await isActive(app, await sign(token, { claims }))).toBe(false);
    }
    expect(await isActive(app, await sign(token, { header: { typ: "JWT" } }))).toBe(false);
  });

  test("a token that is neither for the caller nor its own", async () => {
    const mine = await begin(app);
    expect(await isActive(other, mine.access_token)).toBe(false);
    expect(await isActive(other, mine.refresh_token)).toBe(false);
    // An audience is a reason to ask about access tokens, which come to it; refresh tokens do not.
    expect(await isActive(resource, mine.access_token)).toBe(true);
    expect(await isActive(resource, mine.refresh_token)).toBe(false);
    const theirs = await begin(other);
    expect(await isActive(other, theirs.access_token)).toBe(true);
    expect(await isActive(resource, theirs.access_token)).toBe(false);
  });

  test("a token for AUDIENCE, to a gateway without audiences, but not one for others alone", async () => {
    const gateway = await addClient(sql, { canIntrospect: true });
    const { access_token: ofBuiltin } = await given.session(service, { user });
    const { access_token: ofUser } = await begin(app);
    const answers = [ofBuiltin, ofUser, await tokenOf(app)].map((token) => isActive(gateway, token));
    expect(await Promise.all(answers)).toEqual([true, true, false]);
    expect(await isActive(other, ofBuiltin)).toBe(false);
  });

  test("a token for an API whose audience is the client's id", async () => {
    const named = await addClient(sql, { canIntrospect: true });
    const caller = await addClient(sql, { ...own, audience: named.id });
    const { access_token } = await begin(caller);
    expect(await isActive(named, access_token)).toBe(true);
    expect(await isActive(other, access_token)).toBe(false);
  });

  test("a token whose session has ended, or expired, or whose user is not active", async () => {
    const one = await given.user(sql);
    const beginAs = async () => {
      const { username, password } = one;
      const input = { grant_type: "password", username, password };
      return (await grant(app, input)) as unknown as Tokens;
    };
    const ended = await beginAs();
    await sendForm(`${service.url}/auth/revoke`, { token: ended.refresh_token }, basicOf(app));
    const idle = await beginAs();
    await expireIdle(sql, sessionIdOf(idle));
    const suspended = await beginAs();
    expect(await isActive(app, suspended.access_token)).toBe(true);
    await changeUser(sql, one, { status: "suspended" });
    // sleep: an access token counts for as long as an instance may remember its session.
    await delay(1000);
    for (const { access_token, refresh_token } of [ended, idle, suspended]) {
      expect(await isActive(app, access_token)).toBe(false);
      expect(await isActive(app, refresh_token)).toBe(false);
    }
  });

  test("a client's own token that was revoked, or whose client is no more", async () => {
    const client = await addClient(sql, { ...own, audience });
    const [kept, revoked] = [await tokenOf(client), await tokenOf(client)];
    await sendForm(`${service.url}/auth/revoke`, { token: revoked }, basicOf(client));
    expect([await isActive(resource, kept), await isActive(resource, revoked)]).toEqual([true, false]);
    await deleteClient(sql, client.id);
    // sleep: the service remembers a client for a second.
    await delay(1000);
    expect(await isActive(resource, kept)).toBe(false);
    await addClient(sql, { ...own, id: client.id, audience });
    await deleteClient(sql, client.id);
    // Within the second in which it was deleted, with the rights of before.
    const anew = await addClient(sql, {
      ...own,
      id: client.id,
      audience,
      scopes: ["c"],
      canIntrospect: true,
    });
    for (const asker of [resource, anew]) expect(await isActive(asker, kept)).toBe(false);
    const next = await tokenOf(anew);
    for (const asker of [resource, anew]) expect(await isActive(asker, next)).toBe(true);
    expect(decodeJwt(next)["client_reg"]).not.toBe(decodeJwt(kept)["client_reg"]);
  });

  test("a token in any other spelling than its own", async () => {
    const { access_token: token } = await begin(app);
    const [header = "", claims = "", signature = ""] = token.split(".");
    // 64 bytes take 86 letters, whose last has four bits to spare.
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const last = alphabet.indexOf(signature.at(-1) ?? "");
    const respelled = signature.slice(0, -1) + alphabet[last + 1];
    const others = ["==", "=", " ", "\n", "\u00a0"].map((end) => token + end);
    others.push(` ${token}`, `${header}.${claims}.${respelled}`, `${header}.${claims}. ${signature}`);
    for (const other of others) expect([other, await isActive(app, other)]).toEqual([other, false]);
    expect(await isActive(app, token)).toBe(true);
  });
});

test("a refresh token is neither rotated nor used up by being asked about", async () => {
  const first = await begin(app);
  const id = sessionIdOf(first);
  for (let n = 0; n < 3; n += 1) expect(await isActive(app, first.refresh_token)).toBe(true);
  expect(await readSession(sql, id)).toEqual({ generation: 0n, ended: false });
  const parameters = postOf(app);
  const next = requireTokens(await api(service).rest.refresh(first.refresh_token, parameters));
  // Within the grace it would be answered; after it, asking is no reuse.
  expect(await isActive(app, first.refresh_token)).toBe(true);
  await ageRotations(sql, id, 61);
  expect(await isActive(app, first.refresh_token)).toBe(false);
  expect(await readSession(sql, id)).toEqual({ generation: 1n, ended: false });
  expect(await isActive(app, next.refresh_token)).toBe(true);
  requireTokens(await api(service).rest.refresh(next.refresh_token, parameters));
});

describe("introspection is refused", () => {
  test("to clients that may not, public ones and the built-in one among them", async () => {
    const { access_token: token } = await begin(app);
    const plain = await addClient(sql, { ...own });
    const open = await addClient(sql, { public: true });
    const answer = await sendForm(`${service.url}/auth/introspect`, { token, ...postOf(plain) });
    expect([answer.status, answer.json["error"]]).toEqual([400, "unauthorized_client"]);
    expect(answer.json).not.toHaveProperty("active");
    expect(answer.headers.get("www-authenticate")).toBeNull();
    // Who has no secret has not authenticated (RFC 7662 section 2.1).
    for (const input of [postOf(open), {}]) {
      const nobody = await sendForm(`${service.url}/auth/introspect`, { token, ...input });
      expect([nobody.status, nobody.json["error"]]).toEqual([401, "invalid_client"]);
      expect(nobody.json).not.toHaveProperty("active");
      expect(nobody.headers.get("www-authenticate")).toMatch(/^Bearer\b/);
    }
  });

  test("without the client's secret", async () => {
    const { access_token: token } = await begin(app);
    const posted = await sendForm(`${service.url}/auth/introspect`, { token, client_id: resource.id });
    expect([posted.status, posted.json["error"]]).toEqual([401, "invalid_client"]);
    const headers = basic(`${resource.id}:wrong`);
    const inHeader = await sendForm(`${service.url}/auth/introspect`, { token }, headers);
    expect([inHeader.status, inHeader.json["error"]]).toEqual([401, "invalid_client"]);
    expect(inHeader.headers.get("www-authenticate")).toMatch(/^Basic /);
    // A caller's bearer is no client authentication.
    const bearer = bearerOf(token);
    const { status, json } = await sendForm(`${service.url}/auth/introspect`, { token }, bearer);
    expect([status, json["error"]]).toEqual([401, "invalid_client"]);
  });

  test("without a token, or with two", async () => {
    for (const body of ["token_type_hint=access_token", "token=", "token=a&token=b"]) {
      const answer = await sendForm(`${service.url}/auth/introspect`, body, basicOf(resource));
      expect([answer.status, answer.json["error"]]).toEqual([400, "invalid_request"]);
    }
  });
});
