import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { decodeJwt } from "jose";
import type { Client } from "pg";
import { requireTokens, sessionIdOf, type Tokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { addClient, basicOf, postOf, type TestClient } from "../_harness/clients.ts";
import * as given from "../_harness/given.ts";
import { basic, type RestAnswer, sendForm, sendJson } from "../_harness/rest.ts";
import { readRevokedTokens } from "../_harness/rows/revoked-tokens.ts";
import { ageRotations, readSession } from "../_harness/rows/sessions.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { createTokenSigner } from "../_harness/sign-token.ts";
import { openSql } from "../_harness/sql.ts";
import { textOf } from "../_harness/text-of.ts";

// RFC 7009; section 4 of the contract.

let service: TestService;
let sql: Client;
let app: TestClient;
let open: TestClient;
let machine: TestClient;
beforeAll(async () => {
  service = await startService();
  sql = await openSql(service.databaseUrl);
  const own = { firstParty: true, grants: ["password", "refresh_token"] } as const;
  app = await addClient(sql, own);
  open = await addClient(sql, { ...own, public: true });
  machine = await addClient(sql, { grants: ["client_credentials"], canIntrospect: true });
});
afterAll(async () => {
  await sql.end();
  await service.stop();
});

const revoke = (input: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}) =>
  sendForm(`${service.url}/auth/revoke`, input, headers);

async function begin(client: TestClient | null = null): Promise<Tokens> {
  const { username, password } = await given.user(sql);
  const input = { grant_type: "password", username, password, ...(client === null ? {} : postOf(client)) };
  const { status, json } = await sendForm(`${service.url}/auth/token`, input);
  expect(status).toBe(200);
  return json as unknown as Tokens;
}

function expectForeign({ status, json }: RestAnswer): void {
  expect([status, json["error"], json["reason"]]).toEqual([400, "invalid_grant", "foreign_token"]);
}

const isEnded = async (tokens: Tokens) => (await readSession(sql, sessionIdOf(tokens))).ended;

describe.each(["access_token", "refresh_token"] as const)("a user's %s", (kind) => {
  test("ends its session: its refresh token is dead, and its access token too", async () => {
    const tokens = await begin(app);
    const answer = await revoke({ token: tokens[kind] }, basicOf(app));
    expect([answer.status, answer.json]).toEqual([200, {}]);
    expect(await api(service).rest.me(tokens.access_token)).toMatchObject({ status: 401 });
    expect(await api(service).rest.refresh(tokens.refresh_token, postOf(app))).toMatchObject({
      reason: "invalid_refresh_token",
    });
  });

  test("is revoked by parameters, with JSON, whatever the hint, and again", async () => {
    const tokens = await begin(app);
    const input = { token: tokens[kind], token_type_hint: "pct", ...postOf(app) };
    expect((await sendJson(`${service.url}/auth/revoke`, input)).status).toBe(200);
    expect(await isEnded(tokens)).toBe(true);
    expect((await sendJson(`${service.url}/auth/revoke`, input)).status).toBe(200);
  });

  test("is its own client's to revoke: a public one names itself, the built-in one need not", async () => {
    const [ofOpen, builtin] = [await begin(open), await begin()];
    // RFC 7009 section 2.1: 200 would say that the token is dead.
    for (const input of [{}, postOf(app), postOf(machine)]) {
      expectForeign(await revoke({ token: ofOpen[kind], ...input }));
    }
    expectForeign(await revoke({ token: builtin[kind] }, basicOf(app)));
    expect([await isEnded(ofOpen), await isEnded(builtin)]).toEqual([false, false]);
    expect((await revoke({ token: ofOpen[kind], client_id: open.id })).status).toBe(200);
    expect((await revoke({ token: builtin[kind] })).status).toBe(200);
    expect([await isEnded(ofOpen), await isEnded(builtin)]).toEqual([true, true]);
  });

  test("is not revoked without the client's secret", async () => {
    const tokens = await begin(app);
    const posted = await revoke({ token: tokens[kind], client_id: app.id });
    expect([posted.status, posted.json["error"]]).toEqual([401, "invalid_client"]);
    expect(posted.headers.get("www-authenticate")).toMatch(/^Bearer\b/);
    const inHeader = await revoke({ token: tokens[kind] }, basic(`${app.id}:wrong`));
    expect([inHeader.status, inHeader.json["error"]]).toEqual([401, "invalid_client"]);
    expect(inHeader.headers.get("www-authenticate")).toMatch(/^Basic /);
    expect(await isEnded(tokens)).toBe(false);
  });
});

test("an older refresh token ends the session too", async () => {
  const first = await begin(app);
  const next = requireTokens(await api(service).rest.refresh(first.refresh_token, postOf(app)));
  await ageRotations(sql, sessionIdOf(first), 3600);
  expect((await revoke({ token: first.refresh_token }, basicOf(app))).status).toBe(200);
  expect(await api(service).rest.me(next.access_token)).toMatchObject({ status: 401 });
});

test("a client's own token is remembered as revoked, for as long as it would have lived, and no other is", async () => {
  const grant = async () => {
    const input = { grant_type: "client_credentials" };
    return textOf(
      (await sendForm(`${service.url}/auth/token`, input, basicOf(machine))).json["access_token"],
    );
  };
  const isActive = async (token: string) =>
    (await sendForm(`${service.url}/auth/introspect`, { token }, basicOf(machine))).json["active"];
  const [revoked, kept] = [await grant(), await grant()];
  for (let n = 0; n < 2; n += 1) {
    expect((await revoke({ token: revoked }, basicOf(machine))).status).toBe(200);
  }
  expectForeign(await revoke({ token: kept }, basicOf(app)));
  expect([await isActive(revoked), await isActive(kept)]).toEqual([false, true]);
  const { jti, exp } = decodeJwt(revoked);
  expect(await readRevokedTokens(sql)).toEqual([{ jti, exp }]);
});

test.each(["access_token", "refresh_token"] as const)(
  "another client's %s is refused whether or not it lives: nothing is told of it",
  async (kind) => {
    const tokens = await begin(app);
    expect((await revoke({ token: tokens.refresh_token }, basicOf(app))).status).toBe(200);
    expectForeign(await revoke({ token: tokens[kind] }, basicOf(machine)));
    expect((await revoke({ token: tokens[kind] }, basicOf(app))).status).toBe(200);
  },
);

test("what is no token counts as revoked", async () => {
  const sign = await createTokenSigner(service);
  const { access_token } = await begin(app);
  const expired = await sign(access_token, { claims: { exp: 1 } });
  const forged = `${(await begin(open)).refresh_token.slice(0, -8)}AAAAAAAA`;
  for (const token of [forged, "x", "csr_x", "a.b.c", access_token.slice(0, -9), expired, "x".repeat(8000)]) {
    const answer = await revoke({ token }, basicOf(app));
    expect([answer.status, answer.json]).toEqual([200, {}]);
  }
  expect(await api(service).rest.me(access_token)).toMatchObject({ status: 200 });
});

test("without a token, or with two, the request is refused", async () => {
  for (const body of ["token_type_hint=access_token", "token=", "token=a&token=b"]) {
    const answer = await sendForm(`${service.url}/auth/revoke`, body, basicOf(app));
    expect([answer.status, answer.json["error"]]).toEqual([400, "invalid_request"]);
  }
});
