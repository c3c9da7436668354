import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { decodeJwt } from "jose";
import type { Client } from "pg";
import { checkDatabase } from "../../src/cli/doctor/check-database.ts";
import { signInWith } from "../admin/callers.ts";
import { about, look } from "../cli/diagnose.ts";
import { bytesOfJson } from "../../src/domain/token/token-budget.ts";
import { api } from "../_harness/api.ts";
import { changeUser } from "../_harness/rows/users.ts";
import { addClient, postOf } from "../_harness/clients.ts";
import * as given from "../_harness/given.ts";
import { bearerOf, send, sendForm } from "../_harness/rest.ts";
import { startService, type TestService, testSecretKey } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";
import { textOf } from "../_harness/text-of.ts";

const issuer = `https://${"identity.".repeat(24)}example.org/x`.padEnd(255, "x");
/** As many and as long as a request can name. */
const scopes = [...Array.from({ length: 7 }, (_, index) => `${index}`.padEnd(128, "s")), "s".repeat(121)];
const audience = "a".repeat(255);
/** As many bytes as those of one client may have. */
const audiences = [...Array.from({ length: 3 }, (_, index) => `${index}`.repeat(255)), "b".repeat(246)];
/** As many and as long as a user may have. */
const mostRoles = Array.from({ length: 64 }, (_, index) => `${index}`.padEnd(32, "r"));
/** With these roles, as much as a user may have. */
const claims = { c: "c".repeat(151) };

let service: TestService;
let sql: Client;
beforeAll(async () => {
  service = await startService({
    env: {
      ISSUER: issuer,
      AUDIENCE: audience,
      BUILTIN_CLIENT_SCOPES: scopes.join(" "),
      SIGNING_ALGORITHM: "RS256",
    },
  });
  sql = await openSql(service.databaseUrl);
});
afterAll(async () => {
  await sql.end();
  await service.stop();
});

async function introspect(user: given.TestUser): Promise<unknown> {
  const client = await addClient(sql, {
    firstParty: true,
    grants: ["password"],
    canIntrospect: true,
    id: "c".repeat(255),
    scopes,
  });
  const { access_token } = await given.session(service, {
    user,
    fields: { ...postOf(client), scope: scopes.join(" ") },
  });
  expect(access_token.length).toBeLessThanOrEqual(8_000);
  return (await sendForm(`${service.url}/auth/introspect`, { ...postOf(client), token: access_token })).json;
}

describe("an access token is never too long for us:", () => {
  test("the longest that can be made is taken wherever tokens are", async () => {
    const user = await given.user(service, { username: "most", roles: mostRoles });
    const { access_token } = await given.session(service, { user, fields: { scope: scopes.join(" ") } });
    expect(decodeJwt(access_token)["roles"]).toEqual(mostRoles);
    expect(access_token.length).toBeGreaterThan(5_000);
    expect(access_token.length).toBeLessThanOrEqual(8_000);
    expect(await api(service).rest.me(access_token)).toMatchObject({
      status: 200,
      json: { roles: mostRoles },
    });
    expect(await introspect(user)).toMatchObject({ active: true });
  });

  test("the longest of the longest user and the longest client holds everything", async () => {
    expect([bytesOfJson(audiences), bytesOfJson(mostRoles)]).toEqual([1_024, 2_241]);
    expect(bytesOfJson(mostRoles) + bytesOfJson(claims)).toBe(2_400);
    const longest = await given.user(service, { username: "longest", roles: mostRoles });
    const id = "u".repeat(128);
    await changeUser(sql, { id: longest.id }, { id, claims: JSON.stringify(claims) });
    const grants = ["password"] as const;
    const client = await addClient(sql, { firstParty: true, grants, id: "d".repeat(255), scopes, audiences });
    const fields = { ...postOf(client), scope: scopes.join(" ") };
    const { access_token } = await given.session(service, { user: longest, fields });
    expect(access_token.length).toBeGreaterThan(7_000);
    expect(access_token.length).toBeLessThanOrEqual(8_000);
    const said = {
      sub: id,
      roles: mostRoles,
      aud: [...audiences, audience],
      scope: scopes.join(" "),
      ...claims,
    };
    expect(decodeJwt(access_token)).toMatchObject(said);
    expect(await api(service).rest.me(access_token)).toMatchObject({ status: 200 });
  });

  test("a user who has 300 roles already gets one that says nothing of roles, and keeps them here", async () => {
    const roles = Array.from({ length: 300 }, (_, index) => `${index}`.padEnd(64, "r"));
    const user = await given.user(service, { username: "many", roles: ["admin", ...roles] });
    const { access_token, refresh_token } = await given.session(service, { user });
    const refreshed = await sendForm(`${service.url}/auth/refresh`, { refresh_token });
    for (const token of [access_token, textOf(refreshed.json["access_token"])]) {
      expect(token.length).toBeLessThanOrEqual(8_000);
      expect(decodeJwt(token)).not.toHaveProperty("roles");
      expect(await api(service).rest.me(token)).toMatchObject({
        status: 200,
        json: { roles: ["admin", ...roles] },
      });
    }
    const headers = bearerOf(access_token);
    expect((await send(`${service.url}/admin/audit-events`, { headers })).status).toBe(200);
    const warnings = service.logs().filter(({ msg }) => String(msg).startsWith("access tokens"));
    expect(warnings).toMatchObject([
      { count: 1, msg: "access tokens were issued without roles: their users have too many" },
    ]);
    const env = { SECRET_KEY: testSecretKey, ISSUER: "http://localhost", DATABASE_URL: service.databaseUrl };
    expect(about(await look(checkDatabase, env), "roles")).toMatchObject([
      { status: "warn", found: expect.stringMatching(/^1 users have more than 64 roles/) },
    ]);
  });

  test("nobody is given claims that do not fit beside the roles", async () => {
    const { call } = await signInWith(service, "admin");
    const user = (more: object) =>
      call("POST", "/admin/users", { username: "greedy", roles: mostRoles, ...more });
    const refused = await user({ claims: { c: "c".repeat(152) } });
    expect([refused.status, refused.json["errors"]]).toMatchObject([
      422,
      [{ field: "claims", code: "too_long" }],
    ]);
    // These fit, and the roles are none that there are.
    expect((await user({ claims })).json["errors"]).toMatchObject([{ field: "roles", code: "not_found" }]);
  });

  test.each([
    ["more roles than 64", Array.from({ length: 65 }, (_, index) => `r${index}`)],
    ["roles of more than 2,048 bytes", Array.from({ length: 33 }, (_, index) => `${index}`.padEnd(63, "r"))],
  ])("nobody is given %s", async (_what, roles) => {
    const args = ["user", "create", "greedy", ...roles.flatMap((role) => ["--role", role])];
    const { code, stderr } = await service.command(args, "an unusual password");
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/at most 64, of at most 2048 bytes in all|no more than 64 item/),
    });
  });

  test.each([
    ["long", "a".repeat(256)],
    ["of control characters", "\u0001".repeat(40)],
  ])("no client is given an audience that is %s", async (_what, value) => {
    const args = ["client", "create", "greedy", "--grant", "client_credentials", "--audience", value];
    const { code, stderr } = await service.command(args);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("at most 255 bytes") });
  });
});
