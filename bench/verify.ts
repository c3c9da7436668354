// What a verification by @countersign/verify costs, beside the signature check that it cannot do without.
// Usage: npm run bench:verify [-- --rounds N]
// Times are processor time of this thread in microseconds: minimum, median and maximum of the rounds.
import { createPublicKey, generateKeyPairSync, randomUUID, sign, verify } from "node:crypto";
import { parseArgs } from "node:util";
import { createVerifier } from "../packages/verify/src/index.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "7" } } });
const rounds = Number(values.rounds);
const tokensEach = 500;

const issuer = "https://id.example.com";
const audience = "orders";
const kinds = {
  ES256: { pair: generateKeyPairSync("ec", { namedCurve: "P-256" }), digest: "sha256" },
  EdDSA: { pair: generateKeyPairSync("ed25519"), digest: null },
  RS256: { pair: generateKeyPairSync("rsa", { modulusLength: 2048 }), digest: "sha256" },
} as const;

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Runs something with each item. @returns the processor time of one, in microseconds */
async function time<T>(items: readonly T[], run: (item: T) => unknown): Promise<number> {
  const before = process.cpuUsage();
  for (const item of items) await run(item);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / items.length;
}

const show = (microseconds: readonly number[]): string => {
  const sorted = microseconds.toSorted((a, b) => a - b);
  const of = (index: number): string => (sorted[index] ?? Number.NaN).toFixed(1).padStart(7);
  return `${of(0)} ${of(Math.floor(sorted.length / 2))} ${of(sorted.length - 1)}`;
};

for (const [alg, { pair, digest }] of Object.entries(kinds)) {
  const { privateKey, publicKey } = pair;
  const jwks = { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "a", alg, use: "sig" }] };
  const now = Math.floor(Date.now() / 1000);
  const times: Record<string, number[]> = { "signature alone": [], "new token": [], "remembered token": [] };
  for (let round = 0; round < rounds; round += 1) {
    const signed = Array.from({ length: tokensEach }, () => {
      const claims = {
        iss: issuer,
        sub: randomUUID(),
        aud: audience,
        exp: now + 900,
        iat: now,
        nbf: now - 5,
      };
      const more = { jti: randomUUID(), client_id: "web", sid: randomUUID(), roles: ["buyer"], amr: ["pwd"] };
      const input = `${encode({ typ: "at+jwt", alg, kid: "a" })}.${encode({ ...claims, ...more })}`;
      const signature = sign(digest, Buffer.from(input), { key: privateKey, dsaEncoding: "ieee-p1363" });
      return { input: Buffer.from(input), signature, token: `${input}.${signature.toString("base64url")}` };
    });
    const verifier = createVerifier({
      issuer,
      audience,
      jwksUri: issuer,
      fetch: async () => Response.json(jwks),
    });
    await verifier.start();
    // An object around the key would cost more: see packages/verify/src/algorithms.ts.
    const key = Object.assign(createPublicKey(privateKey), { dsaEncoding: "ieee-p1363" });
    const tokens = signed.map(({ token }) => token);
    times["signature alone"]?.push(
      await time(signed, ({ input, signature }) => verify(digest, input, key, signature)),
    );
    times["new token"]?.push(await time(tokens, (token) => verifier.verify(token)));
    const hot = Array.from({ length: 100 }, () => tokens).flat();
    times["remembered token"]?.push(await time(hot, (token) => verifier.verify(token)));
    verifier.stop();
  }
  for (const [what, all] of Object.entries(times)) {
    process.stdout.write(`${alg}  ${what.padEnd(17)} ${show(all)} µs\n`);
  }
}
