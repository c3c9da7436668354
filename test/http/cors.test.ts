import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startService, type TestService } from "../_harness/service.ts";

const app = "https://app.example.com";
const stranger = "https://evil.example";

let service: TestService;
beforeAll(async () => {
  service = await startService({ env: { CORS_ORIGINS: `${app}, http://localhost:3000` } });
});
afterAll(() => service.stop());

const ways: readonly (readonly [string, string, string])[] = [
  ["REST", "/auth/login", "POST"],
  ["REST for a path that is not there", "/auth/nothing", "DELETE"],
  ["Connect", "/countersign.v1.AuthService/Login", "POST"],
  ["Connect by GET", "/countersign.v1.AuthService/GetCurrentUser", "GET"],
];

describe("a preflight", () => {
  test.each(ways)("of a listed origin is answered in full: %s", async (_, path, method) => {
    const answer = await preflight(path, app, method);
    expect(answer.status).toBe(204);
    expect(corsFields(answer)).toEqual({
      "access-control-allow-credentials": "true",
      "access-control-allow-headers":
        "Content-Type, Connect-Protocol-Version, Connect-Timeout-Ms, Connect-Content-Encoding, Connect-Accept-Encoding, Content-Encoding, Accept-Encoding, Grpc-Message-Type, X-Grpc-Web, X-User-Agent, Grpc-Timeout, Accept, Authorization, X-Request-Id, X-CSRF-Token, traceparent, tracestate, X-Auth-Mode",
      "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
      "access-control-allow-origin": app,
      "access-control-expose-headers": exposed,
      "access-control-max-age": "7200",
      vary: "Origin",
    });
  });

  test.each(ways)("of another origin opens nothing: %s", async (_, path, method) => {
    for (const origin of [stranger, "null", `${app}.evil.example`, "https://app.example.com:444"]) {
      const answer = await preflight(path, origin, method);
      expect(answer.status).toBe(204);
      expect(corsFields(answer)).toEqual({ vary: "Origin" });
    }
  });

  test("is told from the OPTIONS of somebody who asks what a path takes", async () => {
    const answer = await fetch(`${service.url}/auth/login`, { method: "OPTIONS", headers: { origin: app } });
    expect([answer.status, answer.headers.get("allow")]).toEqual([204, "OPTIONS, POST"]);
    expect(answer.headers.get("access-control-allow-methods")).toBeNull();
  });
});

describe("an answer", () => {
  test.each([
    ["a success", "/.well-known/jwks.json", 200],
    ["a failure", "/auth/me", 401],
    ["what is not there", "/auth/nothing", 404],
    ["an RPC's failure", "/countersign.v1.AuthService/Nothing", 404],
    ["a probe", "/readyz", 200],
  ])("can be read by a listed origin, whatever it says: %s", async (_, path, status) => {
    const answer = await ask(path, app);
    expect(answer.status).toBe(status);
    expect(corsFields(answer)).toEqual({
      "access-control-allow-credentials": "true",
      "access-control-allow-origin": app,
      "access-control-expose-headers": exposed,
      vary: "Origin",
    });
  });

  test("says that it depends on the origin, also to others and to none", async () => {
    expect(corsFields(await ask("/.well-known/jwks.json", stranger))).toEqual({ vary: "Origin" });
    expect(corsFields(await fetch(`${service.url}/.well-known/jwks.json`))).toEqual({ vary: "Origin" });
  });

  test("keeps browsers from guessing, framing and telling on", async () => {
    const { headers } = await ask("/.well-known/jwks.json", app);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("strict-transport-security")).toBeNull();
  });
});

test("without origins nothing is said of them", async () => {
  const plain = await startService();
  const answer = await preflight("/auth/login", app, "POST", plain.url);
  expect(corsFields(answer)).toEqual({});
  await plain.stop();
});

test("all origins are let in without credentials, and only where there are no cookies", async () => {
  const open = await startService({ env: { CORS_ORIGINS: "*", AUTH_COOKIES: "off" } });
  const answer = await ask("/.well-known/jwks.json", stranger, open.url);
  expect(corsFields(answer)).toEqual({
    "access-control-allow-origin": "*",
    "access-control-expose-headers": exposed,
  });
  await open.stop();
  await expect(startService({ env: { CORS_ORIGINS: "*" } })).rejects.toThrow(
    "CORS_ORIGINS must list its origins while AUTH_COOKIES is on",
  );
});

const exposed =
  "Grpc-Status, Grpc-Message, Grpc-Status-Details-Bin, Content-Encoding, Connect-Content-Encoding, Allow, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id";

function preflight(path: string, origin: string, method: string, url = service.url): Promise<Response> {
  const headers = {
    origin,
    "access-control-request-method": method,
    "access-control-request-headers": "content-type,x-auth-mode",
  };
  return fetch(url + path, { method: "OPTIONS", headers });
}

function ask(path: string, origin: string, url = service.url): Promise<Response> {
  return fetch(url + path, { headers: { origin } });
}

function corsFields({ headers }: Response): Record<string, string> {
  return Object.fromEntries(
    [...headers].filter(([name]) => name === "vary" || name.startsWith("access-control-")),
  );
}
