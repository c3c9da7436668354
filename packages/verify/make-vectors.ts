// Makes conformance/vectors.json: access tokens, good and bad, with what a verifier must say of each. The keys are new
// each time, and their private halves are thrown away.
// Usage: node packages/verify/make-vectors.ts
import {
  constants,
  createHmac,
  generateKeyPairSync,
  type KeyObject,
  sign,
  type SignKeyObjectInput,
} from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const issuer = "https://id.example.com";
const audience = "orders";
const now = 1_800_000_000;

interface Signer {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const ec = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve });
const rsa = (modulusLength: number) => generateKeyPairSync("rsa", { modulusLength });
const es256: Signer = { kid: "ec-1", alg: "ES256", ...ec("P-256") };
const eddsa: Signer = { kid: "ed-1", alg: "EdDSA", ...generateKeyPairSync("ed25519") };
const rs256: Signer = { kid: "rsa-1", alg: "RS256", ...rsa(2048) };
const ps256: Signer = { kid: "pss-1", alg: "PS256", ...rsa(2048) };
const short: Signer = { kid: "rsa-short", alg: "RS256", ...rsa(1024) };
const p384: Signer = { kid: "ec-384", alg: "ES384", ...ec("P-384") };
const stranger: Signer = { kid: "ec-1", alg: "ES256", ...ec("P-256") };
const encryption: Signer = { kid: "ec-enc", alg: "ES256", ...ec("P-256") };

const publicJwk = ({ kid, alg, publicKey }: Signer, use = "sig") => ({
  ...publicKey.export({ format: "jwk" }),
  kid,
  alg,
  use,
});

const digests: Record<string, string | null> = { EdDSA: null, ES384: "sha384" };
const modes: Record<string, Omit<SignKeyObjectInput, "key">> = {
  ES256: { dsaEncoding: "ieee-p1363" },
  ES384: { dsaEncoding: "ieee-p1363" },
  PS256: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
};

const encode = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

function signWith({ alg, privateKey }: Signer, input: string, mode = modes[alg]): Buffer {
  return sign(digests[alg] === undefined ? "sha256" : digests[alg], Buffer.from(input), {
    key: privateKey,
    ...mode,
  });
}

const userClaims = {
  iss: issuer,
  sub: "usr_4f1c2a",
  aud: audience,
  exp: now + 900,
  iat: now,
  nbf: now - 5,
  jti: "tok_81b5",
  client_id: "web",
  scope: "orders.read orders.write",
  sid: "ses_77aa",
  auth_time: now - 30,
  amr: ["pwd"],
  roles: ["buyer"],
};
const { sid: _sid, auth_time: _authTime, amr: _amr, roles: _roles, ...clientOnly } = userClaims;
const clientClaims = { ...clientOnly, sub: "batch", client_id: "batch" };

/** A token: of a user and by ES256 where nothing else is said. A claim or header field of undefined is left out. */
function token(
  claims: object = {},
  { header = {}, by = es256 }: { header?: object; by?: Signer } = {},
): string {
  const input = [
    encode({ typ: "at+jwt", alg: by.alg, kid: by.kid, ...header }),
    encode({ ...userClaims, ...claims }),
  ].join(".");
  return `${input}.${signWith(by, input).toString("base64url")}`;
}

/** A token over any text for the payload, or for the header. */
function tokenOver(payload: string, header = encode({ typ: "at+jwt", alg: "ES256", kid: "ec-1" })): string {
  const input = `${header}.${payload}`;
  return `${input}.${signWith(es256, input).toString("base64url")}`;
}

const good = token();
const [head = "", body = "", signature = ""] = good.split(".");
const lastFlipped = (text: string): string => {
  const bytes = Buffer.from(text, "base64url");
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  return bytes.toString("base64url");
};
/** Another spelling of the same bytes: a spare bit of the last letter is set. */
const respelled = (text: string): string => {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return text.slice(0, -1) + letters[letters.indexOf(text.at(-1) ?? "") + 1];
};
const hmacToken = (secret: string): string => {
  const input = `${encode({ typ: "at+jwt", alg: "HS256", kid: "rsa-1" })}.${body}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
};
const unsigned = (alg: string): string => `${encode({ typ: "at+jwt", alg, kid: "ec-1" })}.${body}.`;
const derSignature = (): string => {
  const input = `${head}.${body}`;
  return `${input}.${signWith(es256, input, {}).toString("base64url")}`;
};

const goodTokens: Record<string, string> = {
  "a user's token by ES256": good,
  "a user's token by EdDSA": token({}, { by: eddsa }),
  "a user's token by RS256": token({}, { by: rs256 }),
  "a user's token by PS256": token({}, { by: ps256 }),
  "a client's own token": tokenOver(encode(clientClaims)),
  "several audiences, this one among them": token({ aud: ["billing", audience] }),
  "the type as a whole media type": token({}, { header: { typ: "application/at+jwt" } }),
  "the type in capitals": token({}, { header: { typ: "AT+JWT" } }),
  "claims that nobody knows": token({ tenant: "blue", nested: { a: [1, null] } }),
  "a name with letters beyond ASCII": token({ name: "Zoë 雪 🦊" }),
  "no scope": token({ scope: undefined }),
  "no beginning": token({ nbf: undefined }),
  "ended 59 seconds ago": token({ exp: now - 59 }),
  "begins in 60 seconds": token({ nbf: now + 60 }),
  "times with fractions": token({ exp: now + 0.5, iat: now - 0.25 }),
  "a header field that nobody knows": token({}, { header: { note: "x" } }),
};

const badTokens: Record<string, readonly (readonly [name: string, token: string])[]> = {
  malformed: [
    ["nothing", ""],
    ["two parts", `${head}.${body}`],
    ["four parts", `${good}.${signature}`],
    ["five parts, as of an encrypted token", `${head}.${body}.${body}.${body}.${signature}`],
    ["no signature, by the algorithm none", unsigned("none")],
    ["no signature, by the key's own algorithm", unsigned("ES256")],
    ["no header", `.${body}.${signature}`],
    ["no payload", `${head}..${signature}`],
    ["padding", `${head}=.${body}.${signature}`],
    ["white space before it", ` ${good}`],
    ["white space in the payload", `${head}.${body} .${signature}`],
    ["a line break at the end", `${good}\n`],
    ["the letters of plain base64", `${head}.${body}.${signature.slice(0, -2)}+/`],
    ["another spelling of the signature's bytes", `${head}.${body}.${respelled(signature)}`],
    ["a header that is no JSON", tokenOver(body, encode("{typ}"))],
    ["a header that is an array", tokenOver(body, encode("[]"))],
    ["a header that is null", tokenOver(body, encode("null"))],
    ["a header in broken UTF-8", tokenOver(body, Buffer.from([0x7b, 0xff, 0x7d]).toString("base64url"))],
    ["a payload that is no JSON", tokenOver(encode("{"))],
    ["a payload that is a number", tokenOver(encode("1"))],
    ["a payload in broken UTF-8", tokenOver(Buffer.from('{"iss":"\xff"}', "latin1").toString("base64url"))],
    ["a critical extension", token({}, { header: { crit: ["b64"], b64: true } })],
    ["an empty list of critical extensions", token({}, { header: { crit: [] } })],
  ],
  wrong_type: [
    ["the type JWT", token({}, { header: { typ: "JWT" } })],
    ["no type", token({}, { header: { typ: undefined } })],
    ["an identity token", token({ nonce: "n" }, { header: { typ: "id_token+jwt" } })],
    ["a logout token", token({}, { header: { typ: "logout+jwt" } })],
    ["a refresh token's type", token({}, { header: { typ: "rt+jwt" } })],
    ["a type that begins alike", token({}, { header: { typ: "at+jwt2" } })],
    ["a type that is a list", token({}, { header: { typ: ["at+jwt"] } })],
  ],
  algorithm_not_allowed: [
    [
      "the algorithm none, with a signature",
      `${encode({ typ: "at+jwt", alg: "none", kid: "ec-1" })}.${body}.${signature}`,
    ],
    ["the algorithm None", `${encode({ typ: "at+jwt", alg: "None", kid: "ec-1" })}.${body}.${signature}`],
    [
      "HS256 with the public key as the secret",
      hmacToken(rs256.publicKey.export({ type: "spki", format: "pem" }).toString()),
    ],
    ["HS256 with an empty secret", hmacToken("")],
    ["no algorithm", token({}, { header: { alg: undefined } })],
    ["ES384, which is not in the list", token({}, { by: p384 })],
    ["RS256 under a key for PS256", token({}, { by: { ...ps256, alg: "RS256" } })],
    ["PS256 under a key for RS256", token({}, { by: { ...rs256, alg: "PS256" } })],
    ["EdDSA under a key for ES256", token({}, { by: eddsa, header: { kid: "ec-1" } })],
  ],
  unknown_key: [
    ["a key that is not the issuer's", token({}, { header: { kid: "ec-9" } })],
    ["no key's name", token({}, { header: { kid: undefined } })],
    ["a key's name that is a number", token({}, { header: { kid: 1 } })],
    ["a key's name like a member of every object", token({}, { header: { kid: "__proto__" } })],
    [
      "an own key in the header",
      token({}, { by: stranger, header: { kid: "own", jwk: publicJwk(stranger) } }),
    ],
    [
      "an own key's address in the header",
      token({}, { header: { kid: "own", jku: "https://evil.example" } }),
    ],
    ["a key of 1,024 bits", token({}, { by: short })],
    ["a key for encryption", token({}, { by: encryption })],
  ],
  bad_signature: [
    ["another's signature under the issuer's key name", token({}, { by: stranger })],
    ["a signature with one bit changed", `${head}.${body}.${lastFlipped(signature)}`],
    ["a payload that was changed", `${head}.${encode({ ...userClaims, roles: ["admin"] })}.${signature}`],
    [
      "a header that was changed",
      `${encode({ typ: "at+jwt", alg: "ES256", kid: "ec-1", x: 1 })}.${body}.${signature}`,
    ],
    ["a signature of zeros", `${head}.${body}.${Buffer.alloc(64).toString("base64url")}`],
    ["a signature of one byte", `${head}.${body}.AA`],
    ["a signature in DER", derSignature()],
    [
      "a signature with a byte more",
      `${head}.${body}.${Buffer.concat([Buffer.from(signature, "base64url"), Buffer.alloc(1)]).toString("base64url")}`,
    ],
  ],
  invalid_claims: [
    ...["iss", "sub", "aud", "exp", "iat", "jti", "client_id"].map(
      (name) => [`without ${name}`, token({ [name]: undefined })] as const,
    ),
    ["an end that is a text", token({ exp: String(now + 900) })],
    ["an end that is null", token({ exp: null })],
    ["a beginning that is a text", token({ nbf: "now" })],
    ["an end before time began", token({ exp: -1 })],
    ["an empty subject", token({ sub: "" })],
    ["a subject that is a number", token({ sub: 7 })],
    ["no audience in the list", token({ aud: [] })],
    ["an audience that is no text", token({ aud: [audience, 7] })],
    ["scopes as a list", token({ scope: ["orders.read"] })],
    ["roles as a text", token({ roles: "admin" })],
    ["a session that is a number", token({ sid: 1 })],
  ],
  wrong_issuer: [
    ["another issuer", token({ iss: "https://id.example.org" })],
    ["the issuer with a slash at its end", token({ iss: `${issuer}/` })],
    ["the issuer in capitals", token({ iss: issuer.toUpperCase() })],
  ],
  wrong_audience: [
    ["another audience", token({ aud: "billing" })],
    ["other audiences", token({ aud: ["billing", "order"] })],
    ["an audience that begins alike", token({ aud: "orders-admin" })],
    ["the audience in capitals", token({ aud: "ORDERS" })],
  ],
  expired: [
    ["ended 60 seconds ago", token({ exp: now - 60 })],
    ["ended long ago", token({ exp: 1 })],
  ],
  not_yet_valid: [
    ["begins in 61 seconds", token({ nbf: now + 61 })],
    ["begins in a year", token({ nbf: now + 31_536_000, exp: now + 31_540_000 })],
  ],
};

const vectors = {
  about: "Access tokens by RFC 9068, and what a verifier must say of each at the time `now`. See README.md.",
  issuer,
  audience,
  now,
  clock_tolerance_seconds: 60,
  algorithms: ["ES256", "EdDSA", "PS256", "RS256"],
  jwks: {
    keys: [
      ...[es256, eddsa, rs256, ps256, short, p384].map((signer) => publicJwk(signer)),
      publicJwk(encryption, "enc"),
      { kty: "oct", k: "c2VjcmV0", kid: "hmac", alg: "HS256", use: "sig" },
    ],
  },
  good: Object.entries(goodTokens).map(([name, text]) => ({ name, token: text })),
  bad: Object.entries(badTokens).flatMap(([reason, rows]) =>
    rows.map(([name, text]) => ({ name, reason, token: text })),
  ),
};
const path = join(import.meta.dirname, "../../conformance/vectors.json");
writeFileSync(path, `${JSON.stringify(vectors, null, 2)}\n`);
