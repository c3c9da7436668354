import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { createLocalJWKSet, createRemoteJWKSet, decodeProtectedHeader, type JWK, jwtVerify } from "jose";
import type { Client } from "pg";
import { api } from "../_harness/api.ts";
import { eventually } from "../_harness/eventually.ts";
import * as given from "../_harness/given.ts";
import { bearerOf, type RestAnswer, send } from "../_harness/rest.ts";
import { activateKey, expireKey, keepOneKey, readSigningKeys } from "../_harness/rows/signing-keys.ts";
import { startService, type TestService, testSecretKey as oldSecret } from "../_harness/service.ts";
import { createSharedDatabase } from "../_harness/shared-stores.ts";
import { openSql } from "../_harness/sql.ts";

// Section 5 of the contract: keys are published before they sign, and kept until what they signed has died.

jest.setTimeout(60_000);

const issuer = "https://id.example.org";
const newSecret = "the-next-secret-key-0123456789-abcdefghijklm";
const jwksMaxAgeSeconds = 300;
/** An access token lives a day at most. */
const daySeconds = 86_400;

let database: Awaited<ReturnType<typeof createSharedDatabase>>;
let sql: Client;
/** Two services on one database. */
let one: TestService;
let two: TestService;
beforeAll(async () => {
  database = await createSharedDatabase();
  const env = { DATABASE_URL: database.url, ISSUER: issuer };
  [one, two] = await Promise.all([startService({ env }), startService({ env })]);
  sql = await openSql(database.url);
});
afterAll(async () => {
  await sql.end();
  await Promise.all([one.stop(), two.stop()]);
  await database.drop();
});

const statusOf = async (service: TestService, token: string) => (await api(service).rest.me(token)).status;

const publishedBy = async (service: TestService) =>
  (await send(`${service.url}/.well-known/jwks.json`)).json["keys"] as unknown as JWK[];

const kidsOf = async (service: TestService) => (await publishedBy(service)).map(({ kid }) => kid);

const issue = async (service: TestService) =>
  (await given.session(service, { user: service.admin })).access_token;
const kidOf = (token: string) => decodeProtectedHeader(token).kid;

/** A token of a key that nobody has, which makes a service look at the store again. */
const unknown = `${Buffer.from('{"typ":"at+jwt","alg":"ES256","kid":"x"}').toString("base64url")}.e30.AAAA`;

/** Waits until both services know these keys, and sign with this one. */
async function bothKnow(kids: readonly string[], signer: string): Promise<void> {
  for (const service of [one, two]) {
    await eventually(async () => {
      expect(await statusOf(service, unknown)).toBe(401);
      const known = await kidsOf(service);
      return known.join() === kids.join() && kidOf(await issue(service)) === signer;
    });
  }
}

const readKeys = () => readSigningKeys(sql);

/** The last so many keys, in the order in which they sign. */
async function lastKids(count: number): Promise<string[]> {
  return (await readKeys()).slice(-count).map(({ kid }) => kid);
}

async function command(...args: string[]): Promise<void> {
  expect(await one.command(args)).toMatchObject({ code: 0, stderr: "" });
}

const signNow = (kid: string): Promise<void> => activateKey(sql, kid);

/** One key, which signs, and which both services know. */
async function beginWithOneKey(): Promise<string> {
  const [first = ""] = await lastKids(1);
  await keepOneKey(sql, first, 3600);
  await bothKnow([first], first);
  return first;
}

describe("key rotate", () => {
  test("publishes a key before it signs, so that no verifier ever meets one that it cannot know", async () => {
    const first = await beginWithOneKey();
    const before = await issue(one);
    await command("key", "rotate");
    const [, second = ""] = await lastKids(2);
    await bothKnow([first, second], first);
    const [old, next] = await readKeys();
    expect(next?.signsIn).toBeGreaterThan(2 * jwksMaxAgeSeconds);
    expect(next?.endsIn).toBeNull();
    expect((old?.endsIn ?? 0) - (next?.signsIn ?? 0)).toBeGreaterThan(daySeconds);

    const answer = await send(`${one.url}/.well-known/jwks.json`);
    expect(answer.headers.get("cache-control")).toBe(`public, max-age=${jwksMaxAgeSeconds}`);
    const cached = createLocalJWKSet({ keys: answer.json["keys"] as unknown as JWK[] });
    await signNow(second);
    await bothKnow([first, second], second);
    for (const token of [before, await issue(one), await issue(two)]) {
      await jwtVerify(token, cached, { issuer });
      for (const service of [one, two]) expect(await statusOf(service, token)).toBe(200);
    }
  });

  test("keeps the old key until the last token that it signed has died, and then forgets it", async () => {
    const first = await beginWithOneKey();
    const before = await issue(two);
    await command("key", "rotate");
    const [, second = ""] = await lastKids(2);
    await signNow(second);
    await bothKnow([first, second], second);
    expect(await statusOf(one, before)).toBe(200);
    await expireKey(sql, first);
    await bothKnow([second], second);
    expect(await statusOf(one, before)).toBe(401);
    // Its private half does not stay behind.
    await command("key", "rotate");
    expect((await readKeys()).map(({ kid }) => kid)).not.toContain(first);
  });
});

test("a key that has signed for SIGNING_KEY_LIFETIME is followed by one, whoever starts at once", async () => {
  const first = await beginWithOneKey();
  await keepOneKey(sql, first, 8 * 86_400);
  const env = { DATABASE_URL: database.url, ISSUER: issuer, SIGNING_KEY_LIFETIME: "7d" };
  const started = await Promise.all([startService({ env }), startService({ env })]);
  try {
    const keys = await readKeys();
    expect(keys).toMatchObject([
      { kid: first, signsIn: expect.any(Number), endsIn: expect.any(Number) },
      { kid: expect.any(String), signsIn: expect.any(Number), endsIn: null },
    ]);
    expect(keys[1]?.signsIn).toBeGreaterThan(2 * jwksMaxAgeSeconds);
    for (const service of started) {
      expect(await kidsOf(service)).toEqual(keys.map(({ kid }) => kid));
      expect(kidOf(await issue(service))).toBe(first);
    }
    await bothKnow(await lastKids(2), first);
  } finally {
    await Promise.all(started.map((service) => service.stop()));
  }
});

describe("KeyService", () => {
  const callBy = async (service: TestService, method: string, path: string): Promise<RestAnswer> =>
    send(service.url + path, { method, headers: bearerOf(await issue(service)) });
  const kidsListedBy = async (service: TestService) =>
    ((await callBy(service, "GET", "/admin/keys")).json["keys"] as unknown as { kid: string }[]).map(
      ({ kid }) => kid,
    );

  test("answers all who rotate at once, on every instance, with one key, which every list shows", async () => {
    const first = await beginWithOneKey();
    const answers = await Promise.all(
      [one, two, one, two].map((service) => callBy(service, "POST", "/admin/keys:rotate")),
    );
    const [, second = ""] = await lastKids(2);
    const told = answers.map(({ json }) => [(json["key"] as unknown as { kid: string }).kid, json["made"]]);
    expect(told.filter(([, made]) => made === true)).toEqual([[second, true]]);
    expect(new Set(told.map(([kid]) => kid))).toEqual(new Set([second]));
    for (const service of [one, two]) expect(await kidsListedBy(service)).toEqual([first, second]);
    expect((await readKeys()).map(({ kid }) => kid)).toEqual([first, second]);
  });

  test("drops a key only in the state that was read", async () => {
    await beginWithOneKey();
    const { json } = await callBy(one, "POST", "/admin/keys:rotate");
    const { kid, etag } = json["key"] as unknown as { kid: string; etag: string };
    await signNow(kid);
    const dropped = await callBy(two, "DELETE", `/admin/keys/${kid}?etag=${etag}`);
    expect([dropped.status, dropped.json["reason"]]).toEqual([409, "conflict"]);
    expect(await kidsListedBy(one)).toContain(kid);
    expect((await callBy(two, "DELETE", `/admin/keys/${kid}`)).status).toBe(204);
    expect(await kidsListedBy(one)).not.toContain(kid);
  });
});

describe("key drop", () => {
  let first: string;
  beforeEach(async () => {
    first = await beginWithOneKey();
  });

  test("of the key that signs makes another one that signs at once, and its tokens are refused", async () => {
    const leaked = await issue(two);
    await command("key", "drop", first);
    const [next = "", ...others] = await lastKids(9);
    expect([next === first, others]).toEqual([false, []]);
    await bothKnow([next], next);
    for (const service of [one, two]) {
      expect(await statusOf(service, leaked)).toBe(401);
      const token = await issue(service);
      for (const taking of [one, two]) expect(await statusOf(taking, token)).toBe(200);
      const jwks = createRemoteJWKSet(new URL(`${service.url}/.well-known/jwks.json`));
      await jwtVerify(token, jwks, { issuer });
      await expect(jwtVerify(leaked, jwks, { issuer })).rejects.toThrow("no applicable key");
    }
  });

  test("of the key that signs lets the published one sign, and no retired one", async () => {
    await command("key", "rotate");
    const [, second = ""] = await lastKids(2);
    await signNow(second);
    await command("key", "rotate");
    const [, , third = ""] = await lastKids(3);
    await command("key", "drop", second);
    await bothKnow([first, third], third);
    const [retired, signer] = await readKeys();
    expect(signer).toMatchObject({ kid: third, endsIn: null });
    expect(signer?.signsIn).toBeLessThanOrEqual(0);
    expect(retired?.endsIn).toBeGreaterThan(daySeconds);
    await command("key", "drop", third);
    const [, fourth = ""] = await lastKids(2);
    expect(fourth).not.toBe(third);
    await bothKnow([first, fourth], fourth);
  });

  test("of a published key leaves the one that signs, without an end", async () => {
    await command("key", "rotate");
    const [, second = ""] = await lastKids(2);
    expect((await readKeys())[0]?.endsIn).not.toBeNull();
    await command("key", "drop", second);
    expect(await readKeys()).toMatchObject([{ kid: first, signsIn: expect.any(Number), endsIn: null }]);
    await bothKnow([first], first);
  });

  test("of a retired key leaves the one that signs, and refuses what the retired one signed", async () => {
    const [before, kept] = [await issue(one), first];
    await command("key", "rotate");
    const [, second = ""] = await lastKids(2);
    await signNow(second);
    await bothKnow([kept, second], second);
    const after = await issue(one);
    await command("key", "drop", kept);
    await bothKnow([second], second);
    expect([await statusOf(two, before), await statusOf(two, after)]).toEqual([401, 200]);
  });
});

describe("a roll-out of SECRET_KEY", () => {
  test("seals the keys anew, so that the old secret can be dropped, and no token is refused", async () => {
    const own = await createSharedDatabase();
    const env = { DATABASE_URL: own.url, ISSUER: issuer };
    const rows = await openSql(own.url);
    const readSeal = () => readSigningKeys(rows);
    let service = await startService({ env });
    const restart = async (secrets: string) => {
      await service.stop();
      service = await startService({ env: { ...env, SECRET_KEY: secrets } });
    };
    try {
      const token = await issue(service);
      const before = await readSeal();
      await restart(`${newSecret},${oldSecret}`);
      const [sealed, ...others] = await readSeal();
      expect(others).toEqual([]);
      expect(sealed?.sealedBy).not.toBe(before[0]?.sealedBy);
      expect(sealed?.sealed).not.toEqual(before[0]?.sealed);
      await restart(newSecret);
      expect(await statusOf(service, token)).toBe(200);
      expect(kidOf(await issue(service))).toBe(kidOf(token));
      const failure = startService({ env });
      await expect(failure).rejects.toThrow("sealed with a secret that is not in SECRET_KEY");
    } finally {
      await service.stop();
      await rows.end();
      await own.drop();
    }
  });

  test("that leaves an instance behind does not stop it: it signs and verifies on", async () => {
    await beginWithOneKey();
    const env = { DATABASE_URL: database.url, ISSUER: issuer, SECRET_KEY: `${newSecret},${oldSecret}` };
    const ahead = await startService({ env });
    try {
      const tokens = [await issue(ahead), await issue(one)];
      for (const service of [one, ahead]) {
        for (const token of tokens) expect(await statusOf(service, token)).toBe(200);
        await eventually(async () => (await statusOf(service, unknown)) === 401);
      }
      expect(one.logs().filter(({ level }) => level === "error" || level === "fatal")).toEqual([]);
    } finally {
      await ahead.stop();
    }
  });
});
