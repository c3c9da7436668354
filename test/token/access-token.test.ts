import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import { api } from "../_harness/api.ts";
import * as given from "../_harness/given.ts";
import { findPython } from "../_harness/python.ts";
import { send } from "../_harness/rest.ts";
import { endSessions, expireForGood, expireIdle } from "../_harness/rows/sessions.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { createTokenSigner, type TokenChanges } from "../_harness/sign-token.ts";
import { openSql } from "../_harness/sql.ts";

// RFC 9068 and section 5 of the contract.
// its own SQL: it looks at every column of a key.

const issuer = "https://identity.example.org/countersign";
const audience = "https://api.example.org";
const roles = Array.from({ length: 10 }, (_, index) => `role-of-16-byte${index}`);

let service: TestService;
let user: given.TestUser;
beforeAll(async () => {
  service = await startService({
    env: { ISSUER: issuer, AUDIENCE: audience, BUILTIN_CLIENT_SCOPES: "mail profile" },
  });
  user = await given.user(service, { username: "ada", roles });
});
afterAll(() => service.stop());

const jwksUrl = () => new URL(`${service.url}/.well-known/jwks.json`);
test("an access token has the header and the claims of the contract, and no others", async () => {
  const before = Math.floor(Date.now() / 1000);
  const { access_token, expires_in } = await given.session(service, {
    user,
    fields: { scope: "profile mail" },
  });
  const after = Math.ceil(Date.now() / 1000);
  const { keys } = (await send(jwksUrl().href)).json as { keys: { kid: string }[] };
  expect(decodeProtectedHeader(access_token)).toEqual({ typ: "at+jwt", alg: "ES256", kid: keys.at(-1)?.kid });

  const { json: current } = await api(service).rest.me(access_token);
  const claims = decodeJwt(access_token);
  const issuedAt = claims.iat ?? 0;
  expect(claims).toEqual({
    iss: issuer,
    sub: current["id"],
    aud: audience,
    exp: issuedAt + 900,
    iat: issuedAt,
    nbf: issuedAt - 5,
    jti: expect.stringMatching(/^jti_[0-9a-z]{26}$/),
    client_id: "countersign",
    scope: "profile mail",
    sid: expect.stringMatching(/^[a-z]+_[0-9a-z]{26}$/),
    auth_time: issuedAt,
    amr: ["pwd"],
    roles,
  });
  expect(expires_in).toBe(900);
  expect(issuedAt).toBeGreaterThanOrEqual(before - 1);
  expect(issuedAt).toBeLessThanOrEqual(after + 1);
});

test("two logins have nothing in common that should be their own", async () => {
  const [one, two] = await Promise.all([given.session(service, { user }), given.session(service, { user })]);
  const [a, b] = [decodeJwt(one.access_token), decodeJwt(two.access_token)];
  expect(a.jti).not.toBe(b.jti);
  expect(a["sid"]).not.toBe(b["sid"]);
  expect(one.refresh_token).not.toBe(two.refresh_token);
});

test("an access token with ten roles of 16 bytes and an issuer of 40 stays under 1 KB", async () => {
  expect([issuer.length, roles.map(({ length }) => length)]).toEqual([40, Array<number>(10).fill(16)]);
  const { access_token } = await given.session(service, { user });
  expect(Buffer.byteLength(access_token)).toBeLessThan(1024);
});

test("jose verifies it by the published keys", async () => {
  const { access_token } = await given.session(service, { user });
  const { protectedHeader } = await jwtVerify(access_token, createRemoteJWKSet(jwksUrl()), {
    issuer,
    audience,
    typ: "at+jwt",
    algorithms: ["ES256"],
    requiredClaims: ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"],
  });
  expect(protectedHeader.alg).toBe("ES256");
});

test("PyJWT verifies it by the published keys, and refuses one with another byte", async () => {
  const python = await findPython({ jwt: "python3-jwt", cryptography: "python3-cryptography" });
  const program = `
import json, sys, jwt
asked = json.load(sys.stdin)
key = jwt.PyJWKClient(asked["jwks"]).get_signing_key_from_jwt(asked["token"])
def verify(token):
    return jwt.decode(token, key.key, algorithms=["ES256"], audience=asked["audience"], issuer=asked["issuer"],
                      options={"require": ["exp", "iat", "nbf", "iss", "aud", "sub", "jti"]})
claims = verify(asked["token"])
try:
    verify(asked["changed"])
    refused = None
except jwt.InvalidSignatureError as error:
    refused = type(error).__name__
print(json.dumps({"claims": claims, "refused": refused}))
`;
  const { access_token: token } = await given.session(service, { user });
  const [header, payload, signature] = token.split(".");
  const other = Buffer.from(JSON.stringify({ ...decodeJwt(token), roles: ["root"] })).toString("base64url");
  const changed = `${header}.${other}.${signature}`;
  expect(payload).not.toBe(other);
  const answer = await python.run(
    program,
    JSON.stringify({ token, changed, jwks: jwksUrl().href, audience, issuer }),
  );
  expect(JSON.parse(answer)).toEqual({ claims: decodeJwt(token), refused: "InvalidSignatureError" });
}, 180_000);

describe("the service takes back no token", () => {
  const now = Math.floor(Date.now() / 1000);
  test.each<[string, TokenChanges]>([
    ["that has expired", { claims: { exp: now - 1 } }],
    ["that is not valid yet", { claims: { nbf: now + 3600 } }],
    ["of another issuer", { claims: { iss: "https://other.example.org" } }],
    ["for another audience", { claims: { aud: "https://other.example.org" } }],
    ["of another type", { header: { typ: "JWT" } }],
    ["of no type", { header: { typ: "" } }],
    ["with a key that is not published", { header: { kid: "another" } }],
    ["without a session", { claims: { sid: undefined } }],
    ["of a session that is not there", { claims: { sid: "ses_00000000000000000000000000" } }],
    ["whose session is no text", { claims: { sid: 1 } }],
    ["of another user", { claims: { sub: "usr_00000000000000000000000000" } }],
    ["without a subject", { claims: { sub: undefined } }],
    ["without an end", { claims: { exp: undefined } }],
    ["without an id", { claims: { jti: undefined } }],
    ["without a client", { claims: { client_id: undefined } }],
  ])("%s, though the signature is good", async (_what, changes) => {
    const { access_token } = await given.session(service, { user });
    const sign = await createTokenSigner(service);
    expect((await api(service).rest.me(await sign(access_token, {}))).status).toBe(200);
    const answer = await api(service).rest.me(await sign(access_token, changes));
    expect([answer.status, answer.json["reason"]]).toEqual([401, "invalid_token"]);
  });

  test.each(["none", "HS256"])("that says alg %s", async (alg) => {
    const { access_token } = await given.session(service, { user });
    const [, payload, signature] = access_token.split(".");
    const header = { ...decodeProtectedHeader(access_token), alg };
    const forged = Buffer.from(JSON.stringify(header)).toString("base64url");
    for (const token of [
      `${forged}.${payload}.${signature}`,
      `${forged}.${payload}.`,
      `${forged}.${payload}`,
    ]) {
      expect((await api(service).rest.me(token)).status).toBe(401);
    }
  });

  test("whose session has ended or expired", async () => {
    const sql = await openSql(service.databaseUrl);
    const end = (id: string) => endSessions(sql, [id]);
    for (const change of [end, expireForGood.bind(null, sql), expireIdle.bind(null, sql)]) {
      const { access_token, sid } = await given.session(service, { user });
      expect((await api(service).rest.me(access_token)).status).toBe(200);
      await change(sid);
      // sleep: within a second is the promise.
      await delay(1000);
      expect((await api(service).rest.me(access_token)).status).toBe(401);
    }
    await sql.end();
  });
});

test("the published keys hold nothing private", async () => {
  const { json } = await send(jwksUrl().href);
  const keys = json["keys"] as Record<string, unknown>[];
  expect(keys.map((key) => Object.keys(key).toSorted())).toEqual([
    ["alg", "crv", "kid", "kty", "use", "x", "y"],
  ]);
});

test("the database holds no private key in clear", async () => {
  const sql = await openSql(service.databaseUrl);
  try {
    const { rows } = await sql.query<{ sealed: Buffer; rest: string }>(
      "select sealed_private_key as sealed, to_jsonb(signing_keys) - 'sealed_private_key' as rest from signing_keys",
    );
    expect(rows).toHaveLength(1);
    // The DER of a P-256 key names the curve; sealed bytes do not.
    expect(Buffer.from(rows[0]?.sealed ?? "").includes(Buffer.from("2a8648ce3d030107", "hex"))).toBe(false);
    expect(Object.keys((rows[0]?.rest ?? {}) as object).toSorted()).toEqual([
      "activates_at",
      "algorithm",
      "created_at",
      "expires_at",
      "kid",
      "public_jwk",
      "secret_key_id",
    ]);
  } finally {
    await sql.end();
  }
});
