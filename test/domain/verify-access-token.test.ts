import { type KeyObject, randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { createLocalJWKSet, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { type Algorithm, generateKeyPair, readyKey, signWith } from "../../src/domain/key/algorithms.ts";
import type { PublicJwk } from "../../src/domain/key/signing-key.ts";
import { createVerifiedTokens, type VerifiedToken } from "../../src/domain/token/verified-tokens.ts";
import { createAccessTokenVerifier } from "../../src/domain/token/verify-access-token.ts";

const issuer = "https://identity.example.org";
const nowSeconds = 2_000_000_000;
const claims = {
  iss: issuer,
  sub: "usr_1",
  aud: issuer,
  exp: nowSeconds + 900,
  iat: nowSeconds,
  nbf: nowSeconds - 5,
  jti: "jti_1",
  client_id: "shop",
  scope: "mail profile",
  sid: "ses_1",
};

interface Key {
  readonly jwk: PublicJwk;
  readonly privateKey: KeyObject;
}

function makeKey(alg: Algorithm): Key {
  const { publicKey, privateKey } = generateKeyPair(alg);
  const { kty = "", ...rest } = publicKey.export({ format: "jwk" }) as Record<string, string>;
  return { jwk: { kty, use: "sig", alg, kid: randomUUID(), ...rest }, privateKey };
}

async function sign(
  { jwk, privateKey }: Key,
  header: Record<string, unknown> = {},
  changes: Record<string, unknown> = {},
): Promise<string> {
  const all = JSON.parse(JSON.stringify({ ...claims, ...changes })) as JWTPayload;
  return new SignJWT(all)
    .setProtectedHeader({ typ: "at+jwt", alg: jwk.alg, kid: jwk.kid, ...header })
    .sign(privateKey, { crit: { exp: true } });
}

function verifierOf(published: readonly PublicJwk[]) {
  const state = { published, nowMs: nowSeconds * 1000, refreshes: 0, atRefresh: published };
  const keys = {
    get published() {
      return state.published;
    },
    refresh: () => {
      state.refreshes += 1;
      state.published = state.atRefresh;
      return Promise.resolve();
    },
  };
  return { state, verify: createAccessTokenVerifier({ issuer, keys, now: () => state.nowMs }) };
}

/** Whether the library takes a token under the rules of RFC 9068 section 4. */
function isTakenByJose(token: string, published: readonly PublicJwk[]): Promise<boolean> {
  return jwtVerify(token, createLocalJWKSet({ keys: published.map((jwk) => ({ ...jwk })) }), {
    issuer,
    typ: "at+jwt",
    algorithms: published.map(({ alg }) => alg),
    requiredClaims: ["sub", "aud", "exp", "iat", "jti", "client_id"],
    currentDate: new Date(nowSeconds * 1000),
  }).then(
    () => true,
    () => false,
  );
}

describe.each<Algorithm>(["ES256", "EdDSA", "RS256", "PS256"])("an access token by %s", (alg) => {
  const key = makeKey(alg);

  test("is read", async () => {
    const { verify } = verifierOf([key.jwk]);
    expect(await verify(await sign(key))).toEqual({
      subject: "usr_1",
      clientId: "shop",
      scopes: ["mail", "profile"],
      audiences: [issuer],
      id: "jti_1",
      issuedAt: nowSeconds,
      expiresAt: nowSeconds + 900,
      sessionId: "ses_1",
      clientRegistration: null,
    });
  });

  test("is signed so that another library takes it", async () => {
    const parts = [{ typ: "at+jwt", alg, kid: key.jwk.kid }, claims];
    const input = parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    const token = `${input}.${signWith(readyKey(alg, key.privateKey), input).toString("base64url")}`;
    expect(await isTakenByJose(token, [key.jwk])).toBe(true);
  });

  test("is refused with any other bit in its signature, and with a signature of another length", async () => {
    const { verify } = verifierOf([key.jwk]);
    const token = await sign(key);
    const start = token.lastIndexOf(".") + 1;
    const signature = Buffer.from(token.slice(start), "base64url");
    const changed = Array.from(signature, (_, index) => {
      const other = Buffer.from(signature);
      other[index] = (other[index] ?? 0) ^ (1 << (index % 8));
      return other;
    });
    for (const other of [...changed, signature.subarray(1), Buffer.concat([signature, Buffer.alloc(1)])]) {
      expect(await verify(token.slice(0, start) + other.toString("base64url"))).toBeNull();
    }
    expect(await verify(token)).not.toBeNull();
  });
});

describe("a token with a good signature is taken or refused as jose does", () => {
  const key = makeKey("ES256");
  test.each<[string, boolean, Record<string, unknown>, Record<string, unknown>]>([
    ["the type as a whole media type", true, { typ: "application/at+jwt" }, {}],
    ["the type in capitals", true, { typ: "AT+JWT" }, {}],
    ["another type", false, { typ: "JWT" }, {}],
    ["no type", false, { typ: undefined }, {}],
    ["another key's name", false, { kid: "another" }, {}],
    ["an extension that must be understood", false, { crit: ["exp"], exp: 1 }, {}],
    ["no start", true, {}, { nbf: undefined }],
    ["a start that is this second", true, {}, { nbf: nowSeconds }],
    ["a start to come", false, {}, { nbf: nowSeconds + 1 }],
    ["a start that is no number", false, {}, { nbf: "1" }],
    ["an end that is this second", false, {}, { exp: nowSeconds }],
    ["an end in a second", true, {}, { exp: nowSeconds + 1 }],
    ["no end", false, {}, { exp: undefined }],
    ["an end that is no number", false, {}, { exp: String(nowSeconds + 900) }],
    ["an hour of issue that is no number", false, {}, { iat: "1" }],
    ["another issuer", false, {}, { iss: "https://other.example.org" }],
    ["no issuer", false, {}, { iss: undefined }],
    ["no subject", false, {}, { sub: undefined }],
    ["no id", false, {}, { jti: undefined }],
    ["no client", false, {}, { client_id: undefined }],
  ])("%s: %s", async (_what, isTaken, header, changes) => {
    const token = await sign(key, header, changes);
    expect(await isTakenByJose(token, [key.jwk])).toBe(isTaken);
    expect((await verifierOf([key.jwk]).verify(token)) !== null).toBe(isTaken);
  });
});

describe("a token that was verified once", () => {
  test("counts no longer than its times say, and counts again where the clock was put back", async () => {
    const key = makeKey("ES256");
    const { state, verify } = verifierOf([key.jwk]);
    const token = await sign(key);
    const at = (seconds: number) => {
      state.nowMs = seconds * 1000;
      return verify(token).then((found) => found !== null);
    };
    expect(await at(nowSeconds)).toBe(true);
    expect(await at(nowSeconds + 899)).toBe(true);
    expect(await at(nowSeconds + 900)).toBe(false);
    expect(await at(nowSeconds - 6)).toBe(false);
    expect(await at(nowSeconds)).toBe(true);
  });

  test("is refused as soon as its key is not published", async () => {
    const [one, two] = [makeKey("ES256"), makeKey("EdDSA")];
    const { state, verify } = verifierOf([one.jwk, two.jwk]);
    const token = await sign(one);
    expect(await verify(token)).not.toBeNull();
    state.published = state.atRefresh = [two.jwk];
    expect(await verify(token)).toBeNull();
    expect(await verify(await sign(two))).not.toBeNull();
  });

  test("is no other token: its text with another signature is refused", async () => {
    const [one, two] = [makeKey("ES256"), makeKey("ES256")];
    const { verify } = verifierOf([one.jwk]);
    const token = await sign(one);
    expect(await verify(token)).not.toBeNull();
    const forged = await sign({ jwk: one.jwk, privateKey: two.privateKey });
    expect(await verify(forged)).toBeNull();
    expect(await verify(`${token}=`)).toBeNull();
  });
});

test("a key that another instance made is looked for, whatever its algorithm", async () => {
  const [one, two] = [makeKey("ES256"), makeKey("EdDSA")];
  const { state, verify } = verifierOf([one.jwk]);
  state.atRefresh = [one.jwk, two.jwk];
  expect(await verify(await sign(two))).not.toBeNull();
  expect(state.refreshes).toBe(1);
});

test.each(["HS256", "none", "RS256"])(
  "a header that says alg %s is refused before the signature",
  async (alg) => {
    const key = makeKey("ES256");
    const [, payload, signature] = (await sign(key)).split(".");
    const header = Buffer.from(JSON.stringify({ typ: "at+jwt", alg, kid: key.jwk.kid })).toString(
      "base64url",
    );
    expect(await verifierOf([key.jwk]).verify(`${header}.${payload}.${signature}`)).toBeNull();
  },
);

describe("the memory of verified tokens", () => {
  const verified: VerifiedToken = {
    kid: "k",
    notBefore: 0,
    claims: {
      subject: "usr_1",
      clientId: "shop",
      scopes: [],
      audiences: [issuer],
      id: "jti_1",
      issuedAt: 0,
      expiresAt: 1,
      sessionId: null,
      clientRegistration: null,
    },
  };
  const countKept = (lengthOf: number, count: number): number => {
    const tokens = createVerifiedTokens();
    const texts = Array.from({ length: count }, (_, index) => String(index).padStart(lengthOf, "a"));
    for (const text of texts) tokens.add(text, verified);
    return texts.filter((text) => tokens.find(text) !== null).length;
  };

  test("holds 10,000 at most, however many there are", () => {
    expect(countKept(8, 100_000)).toBeLessThanOrEqual(10_000);
    expect(countKept(8, 100_000)).toBeGreaterThanOrEqual(5_000);
  });

  test("holds 16 MiB at most, however long they are", () => {
    const bytes = countKept(8_000, 5_000) * (2 * 8_000);
    expect(bytes).toBeLessThanOrEqual(16 * 1024 * 1024);
    expect(bytes).toBeGreaterThan(4 * 1024 * 1024);
  });

  test("keeps what is asked for while others come and go", () => {
    const tokens = createVerifiedTokens();
    tokens.add("kept", verified);
    const found = Array.from({ length: 50_000 }, (_, index) => {
      tokens.add(`other-${index}`, verified);
      return index % 1_000 === 0 ? tokens.find("kept") : verified;
    });
    expect(found).not.toContain(null);
  });
});
