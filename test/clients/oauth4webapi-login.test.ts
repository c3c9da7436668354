import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import * as oauth from "oauth4webapi";
import * as given from "../_harness/given.ts";
import { bearerOf } from "../_harness/rest.ts";
import { startService, type TestService } from "../_harness/service.ts";

let service: TestService;
let server: oauth.AuthorizationServer;
beforeAll(async () => {
  service = await startService();
  server = {
    issuer: `http://localhost:${service.port}`,
    token_endpoint: `http://localhost:${service.port}/auth/login`,
    jwks_uri: `http://localhost:${service.port}/.well-known/jwks.json`,
  };
});
afterAll(() => service.stop());

const client: oauth.Client = { client_id: "countersign" };
// oxlint-disable-next-line typescript/no-deprecated -- marked so as a warning; the test's service has no TLS
const insecure = { [oauth.allowInsecureRequests]: true };

async function grant(
  parameters: Record<string, string>,
  authentication: oauth.ClientAuth = oauth.None(),
  grantType = "password",
): Promise<oauth.TokenEndpointResponse> {
  const answer = await oauth.genericTokenEndpointRequest(
    server,
    client,
    authentication,
    grantType,
    parameters,
    insecure,
  );
  return oauth.processGenericTokenEndpointResponse(server, client, answer);
}

/** What a thrown error says, by its fields: classes of Node's own realm are not jest's. */
async function refusalOf(
  granting: Promise<unknown>,
): Promise<{ name: string; error: unknown; status: number }> {
  const thrown = await granting.then(
    () => null,
    (error: unknown) => error as oauth.ResponseBodyError | oauth.WWWAuthenticateChallengeError,
  );
  if (thrown === null) throw new Error("The grant was given.");
  const error =
    "error" in thrown ? thrown.error : ((await thrown.response.clone().json()) as { error: string }).error;
  return { name: thrown.name, error, status: thrown.status };
}

describe("oauth4webapi's token endpoint request with the password grant", () => {
  test("is answered with tokens that it takes, and whose access token it verifies", async () => {
    const tokens = await grant(service.admin);
    expect(tokens).toEqual({
      access_token: expect.any(String),
      refresh_token: expect.stringMatching(/^csr_/),
      token_type: "bearer",
      expires_in: 900,
    });
    const request = new Request(`${service.url}/anything`, {
      headers: bearerOf(tokens.access_token),
    });
    const claims = await oauth.validateJwtAccessToken(server, request, server.issuer, insecure);
    expect(claims).toMatchObject({ client_id: "countersign", sub: expect.stringMatching(/^usr_/) });
  });

  test("reads a wrong password as the challenge of a 401, with invalid_grant in the body", async () => {
    expect(await refusalOf(grant({ ...service.admin, password: "wrong" }))).toEqual({
      name: "WWWAuthenticateChallengeError",
      error: "invalid_grant",
      status: 401,
    });
  });

  test("reads a secret that cannot be right as invalid_client, by either way of sending it", async () => {
    for (const method of [oauth.ClientSecretPost("a+b c%"), oauth.ClientSecretBasic("a+b c%")]) {
      expect(await refusalOf(grant(service.admin, method))).toMatchObject({
        error: "invalid_client",
        status: 401,
      });
    }
  });

  test.each<[string, Record<string, string>, string, string]>([
    ["an unknown scope", { scope: "everything" }, "password", "invalid_scope"],
    ["another grant", {}, "client_credentials", "unsupported_grant_type"],
  ])("reads %s as its OAuth error", async (_what, change, grantType, error) => {
    expect(await refusalOf(grant({ ...service.admin, ...change }, oauth.None(), grantType))).toEqual({
      name: "ResponseBodyError",
      error,
      status: 400,
    });
  });

  test("reads a missing password as invalid_request, and a suspended account as access_denied", async () => {
    expect(await refusalOf(grant({ username: "admin" }))).toMatchObject({
      error: "invalid_request",
      status: 422,
    });
    const user = await given.user(service, { username: "mallory", status: "suspended" });
    expect(await refusalOf(grant(given.credentialsOf(user)))).toMatchObject({
      error: "access_denied",
      status: 403,
    });
  });
});
