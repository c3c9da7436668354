import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import * as openid from "openid-client";
import type { Client } from "pg";
import { sessionIdOf } from "../_harness/answer.ts";
import { addApplications, addClient, type TestClient } from "../_harness/clients.ts";
import * as given from "../_harness/given.ts";
import { freePort } from "../_harness/ports.ts";
import { ageRotations } from "../_harness/rows/sessions.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

// The client that most programs in Node sign in with, which finds everything by discovery.

let service: TestService;
let sql: Client;
let user: given.TestUser & { readonly id: string };
let app: TestClient;
let open: TestClient;
beforeAll(async () => {
  service = await startService();
  sql = await openSql(service.databaseUrl);
  user = await given.user(sql);
  ({ app, open } = await addApplications(sql));
}, 60_000);
afterAll(async () => {
  await sql.end();
  await service.stop();
});

function discover({ id }: TestClient, auth: openid.ClientAuth): Promise<openid.Configuration> {
  return openid.discovery(new URL(`http://localhost:${service.port}`), id, undefined, auth, {
    algorithm: "oauth2",
    // oxlint-disable-next-line typescript/no-deprecated -- it is marked so to stand out: the tests speak plain HTTP
    execute: [openid.allowInsecureRequests],
  });
}

function signIn(config: openid.Configuration, more: Readonly<Record<string, string>> = {}) {
  const { username, password } = user;
  return openid.genericGrantRequest(config, "password", { username, password, ...more });
}

async function reasonOf(attempt: Promise<unknown>): Promise<unknown> {
  return attempt.then(
    () => null,
    (error: unknown) => error,
  );
}

/** The `error` that the library itself reads out of an answer. */
async function errorOf(attempt: Promise<unknown>): Promise<readonly [string, number]> {
  const error = await reasonOf(attempt);
  if (!(error instanceof openid.ResponseBodyError)) {
    throw new Error("It was no OAuth error.", { cause: error });
  }
  return [error.error, error.status];
}

describe.each([
  ["client_secret_basic", openid.ClientSecretBasic, "basic"],
  ["client_secret_post", openid.ClientSecretPost, "bearer"],
])("openid-client by %s", (_name, authBy, scheme) => {
  let config: openid.Configuration;
  beforeAll(async () => {
    config = await discover(app, authBy(app.secret));
  });

  test("discovers the server, signs a user in, refreshes, introspects and revokes", async () => {
    expect(config.serverMetadata().issuer).toBe(`http://localhost:${service.port}`);
    const first = await signIn(config, { scope: "a b" });
    expect({ ...first }).toEqual({
      access_token: expect.any(String),
      refresh_token: expect.stringMatching(/^csr_/),
      token_type: "bearer",
      expires_in: 900,
    });
    const next = await openid.refreshTokenGrant(config, first.refresh_token ?? "");
    for (const token of [next.access_token, next.refresh_token ?? ""]) {
      expect(await openid.tokenIntrospection(config, token)).toMatchObject({
        active: true,
        client_id: app.id,
        username: user.username,
        sub: user.id,
        scope: "a b",
      });
    }
    await openid.tokenRevocation(config, next.refresh_token ?? "");
    for (const token of [next.access_token, next.refresh_token ?? ""]) {
      expect(await openid.tokenIntrospection(config, token)).toEqual({ active: false });
    }
  });

  test("gets a token for the client itself, and revokes that", async () => {
    const tokens = await openid.clientCredentialsGrant(config, { scope: "b" });
    expect({ ...tokens }).toEqual({
      access_token: expect.any(String),
      token_type: "bearer",
      expires_in: 900,
    });
    expect(await openid.tokenIntrospection(config, tokens.access_token)).toMatchObject({
      active: true,
      sub: app.id,
    });
    await openid.tokenRevocation(config, tokens.access_token);
    expect(await openid.tokenIntrospection(config, tokens.access_token)).toEqual({ active: false });
  });

  test("narrows the scope of a refresh, and is told what was given", async () => {
    const first = await signIn(config, { scope: "a b" });
    const next = await openid.refreshTokenGrant(config, first.refresh_token ?? "", { scope: "a" });
    expect(await openid.tokenIntrospection(config, next.access_token)).toMatchObject({ scope: "a" });
  });

  test("reads invalid_grant out of a wrong password", async () => {
    expect(await errorOf(signIn(config, { password: "wrong" }))).toEqual(["invalid_grant", 400]);
  });

  test("reads invalid_grant out of a refresh token that is used again after its grace", async () => {
    const first = await signIn(config);
    const second = await openid.refreshTokenGrant(config, first.refresh_token ?? "");
    const next = await openid.refreshTokenGrant(config, second.refresh_token ?? "");
    await ageRotations(sql, sessionIdOf(first), 61);
    for (const token of [first.refresh_token, next.refresh_token]) {
      expect(await errorOf(openid.refreshTokenGrant(config, token ?? ""))).toEqual(["invalid_grant", 400]);
    }
  });

  test("reads invalid_scope, unsupported_grant_type and unauthorized_client", async () => {
    expect(await errorOf(signIn(config, { scope: "c" }))).toEqual(["invalid_scope", 400]);
    expect(await errorOf(openid.clientCredentialsGrant(config, { scope: "c" }))).toEqual([
      "invalid_scope",
      400,
    ]);
    const { refresh_token = "" } = await signIn(config, { scope: "a" });
    const wider = openid.refreshTokenGrant(config, refresh_token, { scope: "a b" });
    expect(await errorOf(wider)).toEqual(["invalid_scope", 400]);
    const unknown = openid.genericGrantRequest(config, "urn:example:grant", {});
    expect(await errorOf(unknown)).toEqual(["unsupported_grant_type", 400]);
    const plain = await addClient(sql, { grants: ["refresh_token"], secret: app.secret });
    const other = await discover(plain, authBy(app.secret));
    expect(await errorOf(signIn(other))).toEqual(["unauthorized_client", 400]);
  });

  test("reads the challenge to a wrong secret, and invalid_client is behind it", async () => {
    const wrong = await discover(app, authBy("wrong"));
    const attempts = [
      signIn(wrong),
      openid.clientCredentialsGrant(wrong),
      openid.tokenIntrospection(wrong, "x"),
      openid.tokenRevocation(wrong, "x"),
    ];
    for (const error of await Promise.all(attempts.map(reasonOf))) {
      if (!(error instanceof openid.WWWAuthenticateChallengeError)) throw error;
      expect([error.status, error.cause[0]?.scheme]).toEqual([401, scheme]);
      expect(await error.response.json()).toMatchObject({ error: "invalid_client" });
    }
  });
});

test("openid-client acts for a public client, which names itself", async () => {
  const config = await discover(open, openid.None());
  const first = await signIn(config);
  const next = await openid.refreshTokenGrant(config, first.refresh_token ?? "");
  await openid.tokenRevocation(config, next.access_token);
  const attempt = openid.refreshTokenGrant(config, next.refresh_token ?? "");
  expect(await errorOf(attempt)).toEqual(["invalid_grant", 400]);
});

test("openid-client discovers a server below a base path, whether its issuer names that or not", async () => {
  for (const [issuer, path] of [
    ["/api", "/api"],
    ["", ""],
  ] as const) {
    const port = await freePort();
    const below = await startService({
      env: { PORT: String(port), BASE_PATH: "/api", ISSUER: `http://localhost:${port}${issuer}` },
    });
    try {
      const config = await openid.discovery(
        new URL(`http://localhost:${port}${path}`),
        "countersign",
        undefined,
        openid.None(),
        // oxlint-disable-next-line typescript/no-deprecated -- it is marked so to stand out: the tests speak plain HTTP
        { algorithm: "oauth2", execute: [openid.allowInsecureRequests] },
      );
      const tokens = await openid.genericGrantRequest(config, "password", { ...below.admin });
      expect(tokens.refresh_token).toMatch(/^csr_/);
    } finally {
      await below.stop();
    }
  }
}, 120_000);
