import { describe, expect, jest, test } from "@jest/globals";
import { calculateJwkThumbprint, createRemoteJWKSet, type JWK, jwtVerify } from "jose";
import { api } from "../_harness/api.ts";
import * as given from "../_harness/given.ts";
import { send } from "../_harness/rest.ts";
import { countUsers } from "../_harness/rows/users.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { createSharedDatabase } from "../_harness/shared-stores.ts";
import { withSql } from "../_harness/sql.ts";

// Each of these starts services of its own.
jest.setTimeout(60_000);

const keysOf = async (service: TestService) =>
  (await send(`${service.url}/.well-known/jwks.json`)).json["keys"] as unknown as JWK[];

describe("with SIGNING_ALGORITHM", () => {
  test.each([
    ["ES256", ["alg", "crv", "kid", "kty", "use", "x", "y"]],
    ["EdDSA", ["alg", "crv", "kid", "kty", "use", "x"]],
    ["RS256", ["alg", "e", "kid", "kty", "n", "use"]],
    ["PS256", ["alg", "e", "kid", "kty", "n", "use"]],
  ])(
    "%s tokens verify by the published key, which is named by its thumbprint",
    async (algorithm, members) => {
      const service = await startService({ env: { SIGNING_ALGORITHM: algorithm } });
      try {
        const { access_token } = await given.session(service, { user: service.admin });
        const jwks = createRemoteJWKSet(new URL(`${service.url}/.well-known/jwks.json`));
        const { protectedHeader } = await jwtVerify(access_token, jwks, {
          algorithms: [algorithm],
          typ: "at+jwt",
        });
        const [key, ...others] = await keysOf(service);
        expect(others).toEqual([]);
        expect(Object.keys(key ?? {}).toSorted()).toEqual(members);
        expect(key).toMatchObject({
          use: "sig",
          alg: algorithm,
          kid: await calculateJwkThumbprint(key ?? {}),
        });
        expect(protectedHeader).toEqual({ typ: "at+jwt", alg: algorithm, kid: key?.kid });
        expect((await api(service).rest.me(access_token)).status).toBe(200);
      } finally {
        await service.stop();
      }
    },
  );
});

test("two services that start together on one empty database share one key, and take each other's tokens", async () => {
  const database = await createSharedDatabase();
  const env = { DATABASE_URL: database.url, ISSUER: "https://id.example.org" };
  const services = await Promise.all([startService({ env }), startService({ env })]);
  const [one, two] = services;
  try {
    const keys = await keysOf(one);
    expect(keys).toHaveLength(1);
    expect(await keysOf(two)).toEqual(keys);
    expect(await withSql(database.url, countUsers)).toBe(1);
    for (const [issuing, taking] of [services, services.toReversed()] as [TestService, TestService][]) {
      const { access_token } = await given.session(issuing, { user: issuing.admin });
      expect((await api(taking).rest.me(access_token)).status).toBe(200);
      const jwks = createRemoteJWKSet(new URL(`${taking.url}/.well-known/jwks.json`));
      await jwtVerify(access_token, jwks, { issuer: "https://id.example.org" });
    }
  } finally {
    await Promise.all(services.map((service) => service.stop()));
    await database.drop();
  }
});

test("the keys outlive the service: a token of before the restart is taken after it", async () => {
  const database = await createSharedDatabase();
  const env = { DATABASE_URL: database.url, ISSUER: "https://id.example.org" };
  const before = await startService({ env });
  const { access_token } = await given.session(before, { user: before.admin });
  const keys = await keysOf(before);
  await before.stop();
  const after = await startService({ env });
  try {
    expect(await keysOf(after)).toEqual(keys);
    expect((await api(after).rest.me(access_token)).status).toBe(200);
  } finally {
    await after.stop();
    await database.drop();
  }
});
