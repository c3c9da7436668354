import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import type { Fetch } from "./fetch-json.ts";
import { createVerifier, type Verifier, type VerifierOptions } from "./verifier.ts";

/** What a token of a test says. What is left out is as Countersign would say it for a user. */
export interface TestClaims {
  readonly subject?: string;
  readonly audience?: string | readonly string[];
  readonly clientId?: string;
  readonly scopes?: readonly string[];
  readonly roles?: readonly string[];
  readonly sessionId?: string;
  /** How long it lives, in seconds: 900. Less than none makes one that has expired. */
  readonly expiresInSeconds?: number;
  /** Claims as they stand in the token; they win over all of the above, and undefined leaves one out. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** An issuer for the tests of a service: in this process, without a network. */
export interface TestIssuer {
  readonly issuer: string;
  /** An access token for these claims. */
  token(claims?: TestClaims): string;
  /** A verifier that trusts this issuer. */
  verifier(options?: Partial<VerifierOptions>): Verifier;
  /** Answers for the issuer's metadata and keys; for a verifier that the service creates by itself. */
  readonly fetch: Fetch;
}

const kid = "test-key";

/** Creates an issuer with a new key. Its tokens count nowhere else. */
export function createTestIssuer({
  issuer = "https://issuer.test",
  audience = "test-service",
}: {
  readonly issuer?: string;
  readonly audience?: string;
} = {}): TestIssuer {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwks = { keys: [{ ...publicKey.export({ format: "jwk" }), kid, alg: "ES256", use: "sig" }] };
  const jwksUri = `${new URL(issuer).origin}/.well-known/jwks.json`;
  const fetch: Fetch = async (url) => Response.json(url === jwksUri ? jwks : { issuer, jwks_uri: jwksUri });

  return {
    issuer,
    fetch,
    verifier: (options) => createVerifier({ issuer, audience, fetch, ...options }),
    token: (given = {}) => {
      const { subject = randomUUID(), expiresInSeconds = 900, clientId = "test-client", scopes = [] } = given;
      const now = Math.floor(Date.now() / 1000);
      const payload = {
        iss: issuer,
        sub: subject,
        aud: given.audience ?? audience,
        exp: now + expiresInSeconds,
        iat: now,
        nbf: now - 5,
        jti: randomUUID(),
        client_id: clientId,
        ...(scopes.length > 0 ? { scope: scopes.join(" ") } : {}),
        sid: given.sessionId ?? randomUUID(),
        auth_time: now,
        amr: ["pwd"],
        roles: given.roles ?? [],
        ...given.claims,
      };
      const input = `${encode({ typ: "at+jwt", alg: "ES256", kid })}.${encode(payload)}`;
      const signature = sign("sha256", Buffer.from(input), { key: privateKey, dsaEncoding: "ieee-p1363" });
      return `${input}.${signature.toString("base64url")}`;
    },
  };
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
