import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { JsonObject } from "@bufbuild/protobuf";
import { addClient, basicOf } from "../_harness/clients.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

const app = "http://localhost:3000";

let service: TestService;
beforeAll(async () => {
  service = await startService({ env: { CORS_ORIGINS: app } });
});
afterAll(() => service.stop());

const ways = [
  [
    "REST with JSON",
    {
      login: "/auth/login",
      refresh: "/auth/refresh",
      logout: "/auth/logout",
      told: [["refresh_token", null]],
    },
  ],
  [
    "Connect",
    {
      login: "/countersign.v1.AuthService/Login",
      refresh: "/countersign.v1.AuthService/Refresh",
      logout: "/countersign.v1.AuthService/Logout",
      told: [],
    },
  ],
] as const;

describe.each(ways)("over %s", (_, way) => {
  test("a browser that asks for it is signed in, refreshes and signs out by cookies", async () => {
    const login = await post(way.login, credentials(), cookieMode);
    expect(login.status).toBe(200);
    expect(Object.entries(login.json).filter(([name]) => /^refresh_?token$/i.test(name))).toEqual(way.told);
    expect(login.setCookies).toEqual([
      expect.stringMatching(
        /^countersign_refresh=csr_[\w-]{82}; Max-Age=2592000; Path=\/; Secure; SameSite=Strict; HttpOnly$/,
      ),
    ]);

    const refresh = await post(way.refresh, {}, withCookies(login));
    expect(refresh.status).toBe(200);
    expect(refresh.cookies["countersign_refresh"]).not.toBe(login.cookies["countersign_refresh"]);

    const logout = await post(way.logout, {}, withCookies(refresh));
    expect(logout.setCookies).toEqual(forgotten);
    // Another tab may have been given a new cookie meanwhile, which this answer must not take away.
    const dead = await post(way.refresh, {}, withCookies(refresh));
    expect([dead.status, dead.setCookies]).toEqual([401, []]);
  });

  test("nothing changes for whoever does not ask for it", async () => {
    const login = await post(way.login, credentials());
    expect([login.status, login.setCookies]).toEqual([200, []]);
    expect(login.json["refresh_token"] ?? login.json["refreshToken"]).toMatch(/^csr_/);
    const signedIn = await post(way.login, credentials(), cookieMode);
    const { "x-auth-mode": _mode, ...noMode } = withCookies(signedIn);
    expect((await post(way.refresh, {}, noMode)).status).not.toBe(200);
  });
});

describe("a request with the cookie is refused", () => {
  let signedIn: Answer;
  beforeAll(async () => {
    signedIn = await post("/auth/login", credentials(), cookieMode);
  });

  test.each<[string, Record<string, string>]>([
    ["from the page of another site", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }],
    ["from the same in a browser that does not tell sites apart", { origin: "https://evil.example" }],
    [
      "from the page of a sibling that is not listed",
      { origin: "http://localhost:3001", "sec-fetch-site": "same-site" },
    ],
    ["from a page that hides where it is", { origin: "null" }],
    ["from a listed page that is of another site", { origin: app, "sec-fetch-site": "cross-site" }],
    ["which another site had a hand in", { "sec-fetch-site": "cross-site" }],
    ["which a sibling had a hand in that does not say who it is", { "sec-fetch-site": "same-site" }],
    ["that a listed page did not begin", { origin: app, "sec-fetch-site": "none" }],
    ["with two origins", { origin: `${app}, https://evil.example` }],
    ["from an origin that is spelt in another way", { origin: `${app}/` }],
  ])("%s", async (_, changed) => {
    for (const path of ["/auth/refresh", "/auth/logout"]) {
      const answer = await post(path, {}, { ...withCookies(signedIn), ...changed });
      expect([answer.status, answer.json["reason"]]).toEqual([403, "permission_denied"]);
      expect(answer.setCookies).toEqual([]);
    }
  });

  test("that has a refresh token in the body as well, or the cookie twice", async () => {
    const headers = withCookies(signedIn);
    const both = await post("/auth/refresh", { refresh_token: "csr_x" }, headers);
    expect([both.status, both.json["reason"]]).toEqual([400, "malformed_request"]);
    const twice = await post(
      "/auth/refresh",
      {},
      { ...headers, cookie: `${headers.cookie}; ${headers.cookie}` },
    );
    expect([twice.status, twice.json["reason"]]).toEqual([400, "malformed_request"]);
  });

  test("that asks for something else than a cookie", async () => {
    const answer = await post("/auth/refresh", {}, { ...withCookies(signedIn), "x-auth-mode": "body" });
    expect([answer.status, answer.json["reason"]]).toEqual([400, "malformed_request"]);
  });

  test("none of which has harmed the session", async () => {
    expect((await post("/auth/refresh", {}, { ...withCookies(signedIn), origin: app })).status).toBe(200);
  });
});

describe("a request with the cookie is taken", () => {
  test.each<[string, Record<string, string>]>([
    ["from a listed page of the same site", { origin: app, "sec-fetch-site": "same-site" }],
    ["from a listed page in a browser that does not tell sites apart", { origin: app }],
    ["from the service's own page in a browser that leaves Origin out", { "sec-fetch-site": "same-origin" }],
    ["with the CSRF token of earlier versions, whatever it says", { origin: app, "x-csrf-token": "x" }],
  ])("%s", async (_, headers) => {
    const signedIn = await post("/auth/login", credentials(), cookieMode);
    for (const path of ["/auth/refresh", "/auth/logout"]) {
      expect((await post(path, {}, { ...withCookies(signedIn), ...headers })).status).toBeLessThan(300);
    }
  });

  test("from the service's own page", async () => {
    const signedIn = await post("/auth/login", credentials(), cookieMode);
    const headers = {
      ...withCookies(signedIn),
      origin: `http://localhost:${service.port}`,
      "sec-fetch-site": "same-origin",
    };
    expect((await post("/auth/refresh", {}, headers)).status).toBe(200);
  });

  test.each<[string, Record<string, string>]>([
    ["no type", {}],
    ["the type of a form", { "content-type": "application/x-www-form-urlencoded" }],
    ["the type of JSON", { "content-type": "application/json" }],
  ])("without a body, and %s", async (_, type) => {
    const signedIn = await post("/auth/login", credentials(), cookieMode);
    const headers = { ...withCookies(signedIn), ...type };
    const refreshed = await bare("/auth/refresh", headers);
    expect([refreshed.status, refreshed.json["refresh_token"]]).toEqual([200, null]);
    expect((await bare("/auth/logout", headers)).status).toBe(204);
  });

  test("without a body also where another client began the session and names itself by Basic", async () => {
    const sql = await openSql(service.databaseUrl);
    const client = await addClient(sql, { firstParty: true, grants: ["password", "refresh_token"] });
    await sql.end();
    const login = await post("/auth/login", credentials(), { ...cookieMode, ...basicOf(client) });
    const headers = { ...withCookies(login), ...basicOf(client) };
    expect((await bare("/auth/refresh", headers)).status).toBe(200);
    expect((await bare("/auth/refresh", withCookies(login))).status).toBe(401);
    const { cookie: _cookie, ...noCookie } = headers;
    const none = await bare("/auth/refresh", noCookie);
    expect([none.status, none.json["reason"]]).toEqual([401, "invalid_refresh_token"]);
  });
});

test("without a body and without a cookie a refresh is told what is missing", async () => {
  const answer = await bare("/auth/refresh", {});
  expect([answer.status, answer.json["reason"], answer.json["errors"]]).toEqual([
    422,
    "validation_failed",
    [expect.objectContaining({ field: "refresh_token", detail: "is required" })],
  ]);
});

test("without the header field a cookie is nothing, whatever else a form can send", async () => {
  const signedIn = await post("/auth/login", credentials(), cookieMode);
  const { "x-auth-mode": _mode, ...cookie } = withCookies(signedIn);
  const types = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"];
  for (const type of types) {
    for (const path of ["/auth/refresh", "/auth/logout", "/auth/sessions"]) {
      const answer = await read(
        fetch(`${service.url}${path}?_method=DELETE&x-auth-mode=cookie`, {
          method: "POST",
          headers: { ...cookie, "content-type": type, "x-http-method-override": "DELETE" },
          body: "_method=DELETE&x-auth-mode=cookie&remember_device=true",
        }),
      );
      expect([path, answer.status >= 400 && answer.status < 500, answer.setCookies]).toEqual([
        path,
        true,
        [],
      ]);
    }
  }
  expect((await post("/auth/refresh", {}, withCookies(signedIn))).status).toBe(200);
});

test("a page of another origin cannot sign its visitor in", async () => {
  const answer = await post("/auth/login", credentials(), { ...cookieMode, origin: "https://evil.example" });
  expect([answer.status, answer.setCookies]).toEqual([403, []]);
});

test("without the cookie a refresh is refused as without a session", async () => {
  const answer = await post("/auth/refresh", {}, cookieMode);
  expect([answer.status, answer.json["reason"], answer.setCookies]).toEqual([
    401,
    "invalid_refresh_token",
    [],
  ]);
  // Who wants to be signed out is, also where there is no session any more.
  const logout = await post("/auth/logout", {}, cookieMode);
  expect([logout.status, logout.setCookies]).toEqual([401, forgotten]);
});

test("the end of all sessions and a new password leave no stale cookie", async () => {
  const login = await post("/auth/login", credentials(), cookieMode);
  const bearer = { ...cookieMode, authorization: bearerOf(login) };
  const changed = await post(
    "/auth/change-password",
    { current_password: service.admin.password, new_password: "another horse battery" },
    bearer,
  );
  expect(changed.json["refresh_token"]).toBeNull();
  expect((await post("/auth/refresh", {}, withCookies(changed))).status).toBe(200);
  const ended = await read(
    fetch(`${service.url}/auth/sessions`, {
      method: "DELETE",
      headers: { ...cookieMode, authorization: bearerOf(changed) },
    }),
  );
  expect([ended.status, ended.setCookies]).toEqual([204, forgotten]);
  await service.command(["user", "set-password", service.admin.username], service.admin.password);
});

test("the RFC's endpoints take and give tokens as the RFCs say, whoever asks", async () => {
  const parameters = { grant_type: "password", ...credentials() };
  const answer = await post("/auth/token", parameters, cookieMode);
  expect([answer.status, answer.setCookies]).toEqual([200, []]);
  expect(answer.json["refresh_token"]).toMatch(/^csr_/);
});

test("under an https issuer the cookies are bound to the host, and answers say that https is to be used", async () => {
  const insecure = "http://app.example.com";
  const secure = await startService({
    env: {
      ISSUER: "https://id.example.com",
      AUTH_MODE_HEADER: "X-Session",
      SESSION_IDLE_TTL: "1h",
      CORS_ORIGINS: insecure,
    },
  });
  // A page that did not come by https can hold the script of whoever is on the wire.
  const fromInsecure = await read(
    fetch(`${secure.url}/auth/login`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-session": "cookie", origin: insecure },
      body: JSON.stringify(credentials()),
    }),
  );
  expect([fromInsecure.status, fromInsecure.setCookies]).toEqual([403, []]);
  const answer = await read(
    fetch(`${secure.url}/auth/login`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-session": "Cookie",
        origin: "https://id.example.com",
      },
      body: JSON.stringify(credentials()),
    }),
  );
  expect(answer.setCookies).toEqual([
    expect.stringMatching(
      /^__Host-countersign_refresh=csr_\S+; Max-Age=3600; Path=\/; Secure; SameSite=Strict; HttpOnly$/,
    ),
  ]);
  expect(answer.headers.get("strict-transport-security")).toBe("max-age=31536000");
  await secure.stop();
});

test("a service that is told to gives no cookies", async () => {
  const without = await startService({ env: { AUTH_COOKIES: "off", ISSUER: "http://id.example.net" } });
  const answer = await read(
    fetch(`${without.url}/auth/login`, {
      method: "POST",
      headers: { "content-type": "application/json", ...cookieMode },
      body: JSON.stringify(credentials()),
    }),
  );
  expect([answer.status, answer.setCookies]).toEqual([200, []]);
  expect(answer.json["refresh_token"]).toMatch(/^csr_/);
  expect(warningsOfLostCookies(without)).toEqual([]);
  await without.stop();
});

test("a start under a plain http issuer says that browsers drop its cookies, but on localhost", async () => {
  const plain = await startService({ env: { ISSUER: "http://id.example.net" } });
  expect(warningsOfLostCookies(plain)).toEqual([
    expect.objectContaining({ level: "warn", issuer: "http://id.example.net" }),
  ]);
  await plain.stop();
  expect(warningsOfLostCookies(service)).toEqual([]);
});

function warningsOfLostCookies(started: TestService): Record<string, unknown>[] {
  return started.logs().filter(({ msg }) => String(msg).includes("browsers drop the cookies"));
}

const cookieMode = { "x-auth-mode": "cookie" };
const forgotten = ["countersign_refresh=; Max-Age=0; Path=/; Secure; SameSite=Strict; HttpOnly"];

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: JsonObject;
  readonly setCookies: readonly string[];
  readonly cookies: Readonly<Record<string, string>>;
}

function credentials(): { username: string; password: string } {
  return { ...service.admin };
}

function post(path: string, body: object, headers: Record<string, string> = {}): Promise<Answer> {
  return read(
    fetch(service.url + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    }),
  );
}

/** As `post`, with nothing in it. */
function bare(path: string, headers: Record<string, string>): Promise<Answer> {
  return read(fetch(service.url + path, { method: "POST", headers }));
}

async function read(sent: Promise<Response>): Promise<Answer> {
  const answer = await sent;
  const text = await answer.text();
  const setCookies = answer.headers.getSetCookie();
  return {
    status: answer.status,
    headers: answer.headers,
    json: text === "" ? {} : (JSON.parse(text) as JsonObject),
    setCookies,
    cookies: Object.fromEntries(setCookies.map(readCookie)),
  };
}

function readCookie(line: string): [string, string] {
  const [name = "", value = ""] = line.split(";")[0]?.split("=") ?? [];
  return [name, value];
}

function bearerOf({ json }: Answer): string {
  return `Bearer ${JSON.stringify(json["access_token"]).slice(1, -1)}`;
}

/** What a browser and the page in it send after such an answer. */
function withCookies({ cookies }: Answer): Record<string, string> & { cookie: string } {
  const cookie = Object.entries(cookies)
    .map(([name, value]) => `${name}=${value}`)
    .join("; ");
  return { ...cookieMode, cookie };
}
