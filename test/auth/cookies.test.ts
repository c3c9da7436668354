import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { JsonObject } from "@bufbuild/protobuf";
import { startService, type TestService } from "../_harness/service.ts";

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
      expect.stringMatching(
        /^countersign_csrf=[\w-]{43}; Max-Age=2592000; Path=\/; Secure; SameSite=Strict$/,
      ),
    ]);
    expect(login.cookies["countersign_csrf"]).toBe(login.csrfToken);

    const refresh = await post(way.refresh, {}, withCookies(login));
    expect(refresh.status).toBe(200);
    expect(refresh.cookies["countersign_refresh"]).not.toBe(login.cookies["countersign_refresh"]);
    expect(refresh.csrfToken).toBe(login.csrfToken);

    const logout = await post(way.logout, {}, withCookies(refresh));
    expect(logout.setCookies).toEqual(forgotten);
    const dead = await post(way.refresh, {}, withCookies(refresh));
    expect([dead.status, dead.setCookies]).toEqual([401, forgotten]);
  });

  test("nothing changes for whoever does not ask for it", async () => {
    const login = await post(way.login, credentials());
    expect([login.status, login.setCookies, login.csrfToken]).toEqual([200, [], null]);
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
    ["without the CSRF token", { "x-csrf-token": "" }],
    ["with another text as the CSRF token", { "x-csrf-token": "A".repeat(43) }],
    ["from the page of another origin", { origin: "https://evil.example" }],
    ["from a page that hides where it is", { origin: "null" }],
    ["which another site had a hand in", { "sec-fetch-site": "cross-site" }],
  ])("%s", async (_, changed) => {
    for (const path of ["/auth/refresh", "/auth/logout"]) {
      const answer = await post(path, {}, { ...withCookies(signedIn), ...changed });
      expect([answer.status, answer.json["reason"]]).toEqual([403, "permission_denied"]);
      expect(answer.setCookies).toEqual([]);
    }
  });

  test("with another session's CSRF token", async () => {
    const other = await post("/auth/login", credentials(), cookieMode);
    const headers = { ...withCookies(signedIn), "x-csrf-token": other.csrfToken ?? "" };
    expect((await post("/auth/refresh", {}, headers)).status).toBe(403);
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

test("a page of another origin cannot sign its visitor in", async () => {
  const answer = await post("/auth/login", credentials(), { ...cookieMode, origin: "https://evil.example" });
  expect([answer.status, answer.setCookies]).toEqual([403, []]);
});

test("without the cookie a refresh is refused as without a session", async () => {
  const answer = await post("/auth/refresh", {}, cookieMode);
  expect([answer.status, answer.json["reason"], answer.setCookies]).toEqual([
    401,
    "invalid_refresh_token",
    forgotten,
  ]);
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
  const secure = await startService({
    env: { ISSUER: "https://id.example.com", AUTH_MODE_HEADER: "X-Session", SESSION_IDLE_TTL: "1h" },
  });
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
    expect.stringMatching(/^__Host-countersign_csrf=\S+; Max-Age=3600; Path=\/; Secure; SameSite=Strict$/),
  ]);
  expect(answer.headers.get("strict-transport-security")).toBe("max-age=31536000");
  await secure.stop();
});

test("a service that is told to gives no cookies", async () => {
  const without = await startService({ env: { AUTH_COOKIES: "off" } });
  const answer = await read(
    fetch(`${without.url}/auth/login`, {
      method: "POST",
      headers: { "content-type": "application/json", ...cookieMode },
      body: JSON.stringify(credentials()),
    }),
  );
  expect([answer.status, answer.setCookies]).toEqual([200, []]);
  expect(answer.json["refresh_token"]).toMatch(/^csr_/);
  await without.stop();
});

const cookieMode = { "x-auth-mode": "cookie" };
const forgotten = [
  "countersign_refresh=; Max-Age=0; Path=/; Secure; SameSite=Strict; HttpOnly",
  "countersign_csrf=; Max-Age=0; Path=/; Secure; SameSite=Strict",
];

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: JsonObject;
  readonly setCookies: readonly string[];
  readonly cookies: Readonly<Record<string, string>>;
  readonly csrfToken: string | null;
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
    csrfToken: answer.headers.get("x-csrf-token"),
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
function withCookies({ cookies, csrfToken }: Answer): Record<string, string> & { cookie: string } {
  const cookie = Object.entries(cookies)
    .map(([name, value]) => `${name}=${value}`)
    .join("; ");
  return { ...cookieMode, "x-csrf-token": csrfToken ?? "", cookie };
}
