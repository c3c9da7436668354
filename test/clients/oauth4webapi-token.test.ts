import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import * as oauth from "oauth4webapi";
import type { Client } from "pg";
import { sessionIdOf } from "../_harness/answer.ts";
import { addApplications, addClient, type TestClient } from "../_harness/clients.ts";
import * as given from "../_harness/given.ts";
import { ageRotations } from "../_harness/rows/sessions.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

// A client of somebody else's, which checks every answer against the RFCs.

// oxlint-disable-next-line typescript/no-deprecated -- it is marked so to stand out: the tests speak plain HTTP
const insecure = { [oauth.allowInsecureRequests]: true };

let service: TestService;
let sql: Client;
let user: given.TestUser;
let server: oauth.AuthorizationServer;
let app: TestClient;
let open: TestClient;
beforeAll(async () => {
  service = await startService();
  sql = await openSql(service.databaseUrl);
  user = await given.user(sql);
  ({ app, open } = await addApplications(sql));
  const issuer = new URL(`http://localhost:${service.port}`);
  const answer = await oauth.discoveryRequest(issuer, { ...insecure, algorithm: "oauth2" });
  server = await oauth.processDiscoveryResponse(issuer, answer);
});
afterAll(async () => {
  await sql.end();
  await service.stop();
});

async function signIn(
  { id }: TestClient,
  auth: oauth.ClientAuth,
  more: Readonly<Record<string, string>> = {},
): Promise<oauth.TokenEndpointResponse> {
  const client = { client_id: id };
  const { username, password } = user;
  const parameters = { username, password, ...more };
  const answer = await oauth.genericTokenEndpointRequest(
    server,
    client,
    auth,
    "password",
    parameters,
    insecure,
  );
  return oauth.processGenericTokenEndpointResponse(server, client, answer);
}

async function refresh({ id }: TestClient, auth: oauth.ClientAuth, token: string | undefined) {
  const client = { client_id: id };
  const answer = await oauth.refreshTokenGrantRequest(server, client, auth, token ?? "", insecure);
  return oauth.processRefreshTokenResponse(server, client, answer);
}

async function clientCredentials(auth: oauth.ClientAuth, scope: string) {
  const client = { client_id: app.id };
  const answer = await oauth.clientCredentialsGrantRequest(server, client, auth, { scope }, insecure);
  return oauth.processClientCredentialsResponse(server, client, answer);
}

async function introspect(token: string, auth: oauth.ClientAuth) {
  const client = { client_id: app.id };
  const answer = await oauth.introspectionRequest(server, client, auth, token, insecure);
  return oauth.processIntrospectionResponse(server, client, answer);
}

async function revoke(token: string, { id }: TestClient, auth: oauth.ClientAuth): Promise<void> {
  const answer = await oauth.revocationRequest(server, { client_id: id }, auth, token, insecure);
  await oauth.processRevocationResponse(answer);
}

/** The `error` that the library itself reads out of an answer. */
async function errorOf(attempt: Promise<unknown>): Promise<readonly [string, number]> {
  const error: unknown = await attempt.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof oauth.ResponseBodyError)) {
    throw new Error("It was no OAuth error.", { cause: error });
  }
  return [error.error, error.status];
}

describe.each([
  ["client_secret_basic", oauth.ClientSecretBasic],
  ["client_secret_post", oauth.ClientSecretPost],
])("oauth4webapi by %s", (_name, authBy) => {
  const auth = () => authBy(app.secret);

  test("signs a user in, refreshes, introspects and revokes", async () => {
    const first = await signIn(app, auth(), { scope: "a b" });
    expect(first).toMatchObject({ token_type: "bearer", expires_in: 900 });
    const next = await refresh(app, auth(), first.refresh_token);
    for (const token of [next.access_token, next.refresh_token ?? ""]) {
      expect(await introspect(token, auth())).toMatchObject({
        active: true,
        client_id: app.id,
        username: user.username,
        scope: "a b",
      });
    }
    await revoke(next.refresh_token ?? "", app, auth());
    expect(await introspect(next.access_token, auth())).toEqual({ active: false });
  });

  test("gets a token for the client itself, and revokes that", async () => {
    const tokens = await clientCredentials(auth(), "b");
    expect(Object.keys(tokens).toSorted()).toEqual(["access_token", "expires_in", "token_type"]);
    expect(await introspect(tokens.access_token, auth())).toMatchObject({ active: true, sub: app.id });
    await revoke(tokens.access_token, app, auth());
    expect(await introspect(tokens.access_token, auth())).toEqual({ active: false });
  });

  test("reads invalid_grant out of a wrong password", async () => {
    expect(await errorOf(signIn(app, auth(), { password: "wrong" }))).toEqual(["invalid_grant", 400]);
  });

  test("reads invalid_grant out of a refresh token that is used again after its grace", async () => {
    const first = await signIn(app, auth());
    const second = await refresh(app, auth(), first.refresh_token);
    const next = await refresh(app, auth(), second.refresh_token);
    await ageRotations(sql, sessionIdOf(first), 61);
    for (const token of [first.refresh_token, next.refresh_token]) {
      expect(await errorOf(refresh(app, auth(), token))).toEqual(["invalid_grant", 400]);
    }
  });

  test("reads invalid_scope and unauthorized_client", async () => {
    expect(await errorOf(signIn(app, auth(), { scope: "c" }))).toEqual(["invalid_scope", 400]);
    expect(await errorOf(clientCredentials(auth(), "c"))).toEqual(["invalid_scope", 400]);
    const plain = await addClient(sql, { grants: ["refresh_token"], secret: app.secret });
    expect(await errorOf(signIn(plain, auth()))).toEqual(["unauthorized_client", 400]);
  });
});

test.each([
  ["posts", oauth.ClientSecretPost("wrong"), "bearer"],
  ["sends by Basic", oauth.ClientSecretBasic("wrong"), "basic"],
])(
  "oauth4webapi reads the challenge to a wrong secret that it %s, and invalid_client is behind it",
  async (_how, wrong, scheme) => {
    const attempts = [
      signIn(app, wrong),
      clientCredentials(wrong, ""),
      introspect("x", wrong),
      revoke("x", app, wrong),
    ];
    for (const attempt of await Promise.allSettled(attempts)) {
      const error: unknown = attempt.status === "rejected" ? attempt.reason : null;
      if (!(error instanceof oauth.WWWAuthenticateChallengeError)) throw error;
      expect([error.status, error.cause[0]?.scheme]).toEqual([401, scheme]);
      expect(await error.response.json()).toMatchObject({ error: "invalid_client" });
    }
  },
);

test("oauth4webapi acts for a public client, which names itself", async () => {
  const first = await signIn(open, oauth.None());
  const next = await refresh(open, oauth.None(), first.refresh_token);
  await revoke(next.access_token, open, oauth.None());
  expect(await errorOf(refresh(open, oauth.None(), next.refresh_token))).toEqual(["invalid_grant", 400]);
});
