import { afterEach, describe, expect, test } from "@jest/globals";
import { generateKeyPairSync, sign } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createVerifier, type Verifier, type VerifierOptions } from "../../packages/verify/src/index.ts";
import { eventually } from "../_harness/eventually.ts";
import { outcomeOf } from "./outcome-of.ts";

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** An issuer on a port of its own, with keys that a test changes. */
interface Issuer {
  readonly url: string;
  readonly asked: string[];
  addKey(kid: string): void;
  dropKey(kid: string): void;
  token(kid: string): string;
  /** Answers in place of the issuer; null lets it answer again. */
  instead(handle: Handle | null): void;
}

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function startIssuer({ cacheControl = "max-age=300" } = {}): Promise<Issuer> {
  const asked: string[] = [];
  const pairs = new Map<string, ReturnType<typeof newPair>>();
  let override: Handle | null = null;
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    if (override !== null) {
      override(request, response);
      return;
    }
    const jwks = {
      keys: [...pairs].map(([kid, { publicKey }]) => ({
        ...publicKey.export({ format: "jwk" }),
        kid,
        alg: "ES256",
        use: "sig",
      })),
    };
    const metadata = { issuer: url, jwks_uri: `${url}/keys` };
    response.setHeader("cache-control", cacheControl);
    response.end(JSON.stringify(request.url === "/keys" ? jwks : metadata));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url,
    asked,
    addKey: (kid) => pairs.set(kid, newPair()),
    dropKey: (kid) => pairs.delete(kid),
    instead: (handle) => {
      override = handle;
    },
    token: (kid) => {
      const { privateKey } = pairs.get(kid) ?? newPair();
      const now = Math.floor(Date.now() / 1000);
      const claims = {
        iss: url,
        sub: "u",
        aud: "orders",
        exp: now + 900,
        iat: now,
        jti: "1",
        client_id: "web",
      };
      const input = [{ typ: "at+jwt", alg: "ES256", kid }, claims]
        .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
        .join(".");
      const signature = sign("sha256", Buffer.from(input), { key: privateKey, dsaEncoding: "ieee-p1363" });
      return `${input}.${signature.toString("base64url")}`;
    },
  };
}

const newPair = () => generateKeyPairSync("ec", { namedCurve: "P-256" });

function create(issuer: Issuer, options: Partial<VerifierOptions> = {}): Verifier {
  const verifier = createVerifier({ issuer: issuer.url, audience: "orders", ...options });
  ends.push(() => verifier.stop());
  return verifier;
}

const keyRequests = (issuer: Issuer): number => issuer.asked.filter((path) => path === "/keys").length;

describe("the issuer's keys", () => {
  test("are asked for once, however many calls need them at the start", async () => {
    const issuer = await startIssuer();
    issuer.addKey("a");
    const verifier = create(issuer);
    const token = issuer.token("a");
    await Promise.all(Array.from({ length: 50 }, () => verifier.verify(token)));
    expect(issuer.asked).toEqual(["/.well-known/oauth-authorization-server", "/keys"]);
  });

  test("are not asked for by calls whose keys are known", async () => {
    const issuer = await startIssuer();
    issuer.addKey("a");
    const verifier = create(issuer);
    await verifier.start();
    for (let index = 0; index < 20; index += 1) await verifier.verify(issuer.token("a"));
    expect(keyRequests(issuer)).toBe(1);
  });

  test("are asked for again for an unknown one, at most once in a while", async () => {
    const issuer = await startIssuer();
    issuer.addKey("a");
    const verifier = create(issuer, { unknownKeySeconds: 600 });
    await verifier.start();
    issuer.addKey("b");
    await verifier.verify(issuer.token("b"));
    expect(keyRequests(issuer)).toBe(2);
    const unknown = Array.from({ length: 100 }, (_, index) => verifier.verify(issuer.token(`b${index}`)));
    expect(new Set(await Promise.all(unknown.map(outcomeOf)))).toEqual(new Set(["unknown_key"]));
    expect(keyRequests(issuer)).toBe(2);
  });

  test("are fetched anew by Cache-Control, and a dropped one counts no longer, not even for remembered tokens", async () => {
    const issuer = await startIssuer({ cacheControl: "public, max-age=1" });
    issuer.addKey("a");
    const verifier = create(issuer);
    const token = issuer.token("a");
    await verifier.verify(token);
    issuer.dropKey("a");
    issuer.addKey("b");
    await eventually(async () => (await outcomeOf(verifier.verify(token))) === "unknown_key");
    expect(await outcomeOf(verifier.verify(issuer.token("b")))).toBe("good");
  });

  test("stay while the issuer is away; a token with an unknown key is not refused for good", async () => {
    const issuer = await startIssuer();
    issuer.addKey("a");
    const verifier = create(issuer, { unknownKeySeconds: 0 });
    await verifier.start();
    issuer.addKey("b");
    issuer.instead((_request, response) => response.writeHead(503, { "retry-after": "1" }).end());
    await expect(verifier.verify(issuer.token("b"))).rejects.toMatchObject({
      reason: "keys_unavailable",
      kind: "unavailable",
    });
    await verifier.verify(issuer.token("a"));
    issuer.instead(null);
    await verifier.verify(issuer.token("b"));
  });

  test.each<readonly [string, Handle, string]>([
    ["no JSON", (_, response) => response.end("<html>"), "the answer is not JSON"],
    ["no JWK Set", (_, response) => response.end("{}"), "another issuer"],
    ["a redirect", (_, response) => response.writeHead(302, { location: "/elsewhere" }).end(), "no answer"],
    ["an endless answer", (_, response) => writeForever(response), "the answer is too long"],
    ["nothing at all", () => undefined, "no answer"],
    ["a broken connection", (request) => request.socket.destroy(), "no answer"],
    ["status 500", (_, response) => response.writeHead(500).end("secret"), "status 500"],
  ])("are not there where the issuer answers %s", async (_what, handle, message) => {
    const issuer = await startIssuer();
    issuer.instead(handle);
    const verifier = create(issuer, message === "no answer" ? { timeoutMs: 500 } : {});
    await expect(verifier.start({ timeoutMs: 1 })).rejects.toThrow(message);
    await expect(verifier.verify(issuer.token("a"))).rejects.toMatchObject({ reason: "keys_unavailable" });
  });

  test("are waited for at the start", async () => {
    const issuer = await startIssuer();
    issuer.addKey("a");
    let refusals = 2;
    issuer.instead((_request, response) => {
      refusals -= 1;
      if (refusals === 0) issuer.instead(null);
      response.writeHead(503).end();
    });
    const verifier = create(issuer);
    await verifier.start();
    expect(await outcomeOf(verifier.verify(issuer.token("a")))).toBe("good");
  });
});

function writeForever(response: ServerResponse): void {
  const chunk = Buffer.alloc(64 * 1024, " ");
  const write = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on("drain", write);
  write();
}
