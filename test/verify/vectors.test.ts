import { describe, expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createVerifier, type VerifierOptions, verifyReasons } from "../../packages/verify/src/index.ts";
import { outcomeOf } from "./outcome-of.ts";

interface Vector {
  readonly name: string;
  readonly token: string;
  readonly reason?: string;
}

const vectors = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../conformance/vectors.json"), "utf8"),
) as {
  readonly issuer: string;
  readonly audience: string;
  readonly now: number;
  readonly jwks: object;
  readonly good: readonly Vector[];
  readonly bad: readonly Vector[];
};

const { issuer, audience } = vectors;
const jwksUri = `${issuer}/keys`;
const create = (options: Partial<VerifierOptions> = {}) =>
  createVerifier({
    issuer,
    audience,
    jwksUri,
    now: () => vectors.now * 1000,
    fetch: async () => Response.json(vectors.jwks),
    unknownKeySeconds: 3600,
    ...options,
  });

describe("the conformance vectors", () => {
  test.each(vectors.good)("take $name", async ({ token }) => {
    const verifier = create();
    const verified = await verifier.verify(token);
    expect(verified).toMatchObject({ issuer });
    expect(verified.audience).toContain(audience);
    // What is remembered is the same answer.
    expect(await verifier.verify(token)).toBe(verified);
    verifier.stop();
  });

  test.each(vectors.bad)("refuse $name: $reason", async ({ token, reason }) => {
    const verifier = create();
    for (const _time of ["first", "again"]) {
      await expect(verifier.verify(token)).rejects.toMatchObject({ name: "VerifyError", reason });
    }
    verifier.stop();
  });

  test("hold at least forty bad tokens, each with its own name and text", () => {
    expect(vectors.bad.length).toBeGreaterThanOrEqual(40);
    const all = [...vectors.good, ...vectors.bad];
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    expect(new Set(all.map(({ token }) => token)).size).toBe(all.length);
  });

  test("cover every reason for which a token is refused by itself", () => {
    const others = [
      "missing_token",
      "insufficient_scope",
      "insufficient_role",
      "no_rule",
      "keys_unavailable",
    ];
    const covered = new Set(vectors.bad.map(({ reason }) => reason));
    expect(new Set([...covered, ...others])).toEqual(new Set(verifyReasons));
  });
});

describe("a verifier's options", () => {
  test("narrow the algorithms", async () => {
    const verifier = create({ algorithms: ["EdDSA"] });
    const reasons = await Promise.all(vectors.good.map(({ token }) => outcomeOf(verifier.verify(token))));
    expect(new Set(reasons)).toEqual(new Set(["algorithm_not_allowed", "good"]));
    expect(reasons.filter((reason) => reason === "good")).toHaveLength(1);
    verifier.stop();
  });

  test("make a remembered token end on time", async () => {
    let now = vectors.now * 1000;
    const verifier = create({ now: () => now });
    const [first] = vectors.good;
    const token = first?.token ?? "";
    const { expiresAt } = await verifier.verify(token);
    now = (expiresAt + 59) * 1000;
    await verifier.verify(token);
    now = (expiresAt + 60) * 1000;
    await expect(verifier.verify(token)).rejects.toMatchObject({ reason: "expired" });
    verifier.stop();
  });

  test.each<readonly [string, Partial<VerifierOptions>, string]>([
    ["no audience", { audience: [] }, "A verifier needs its service's audience."],
    ["an empty audience", { audience: "" }, "A verifier needs its service's audience."],
    [
      "an unknown algorithm",
      { algorithms: ["HS256" as "ES256"] },
      "algorithms must be some of ES256, EdDSA, PS256, RS256.",
    ],
    ["no algorithm", { algorithms: [] }, "algorithms must be some of ES256, EdDSA, PS256, RS256."],
    [
      "an issuer by plain http",
      { issuer: "http://id.example.com" },
      "The issuer must be an https address; allowPlainHttp takes an http one.",
    ],
    ["an issuer that is no address", { issuer: "id" }, "The issuer must be an https address."],
    ["a password in an address", { jwksUri: "https://a:b@id.example" }, "The jwksUri must hold no password."],
    [
      "a tolerance of an hour",
      { clockToleranceSeconds: 3600 },
      "clockToleranceSeconds must be between 0 and 600.",
    ],
  ])("refuse %s", (_what, options, message) => {
    expect(() => create(options)).toThrow(message);
  });
});
