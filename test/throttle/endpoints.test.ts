import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { api } from "../_harness/api.ts";
import { createCallers } from "../_harness/callers.ts";
import { addClient, basicOf, type TestClient } from "../_harness/clients.ts";
import { longTimeoutMs } from "../_harness/figures.ts";
import { countStatuses, trustingLoopback } from "../_harness/guessing.ts";
import { sendForm } from "../_harness/rest.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

const limit = 3;
const rate = `${limit}/30d`;

let trusting: TestService;
let wary: TestService;
let client: TestClient;
beforeAll(async () => {
  const names = ["LOGIN", "REFRESH", "TOKEN", "INTROSPECT", "REVOKE", "LOGOUT", "CHANGE_PASSWORD"];
  const byAddress = Object.fromEntries(names.map((name) => [`THROTTLE_${name}_ADDRESS`, rate]));
  [trusting, wary] = await Promise.all([
    startService({ env: { ...byAddress, ...trustingLoopback } }),
    startService({ env: { THROTTLE_LOGIN_ADDRESS: rate, THROTTLE_TOKEN_CLIENT: rate } }),
  ]);
  const sql = await openSql(wary.databaseUrl);
  client = await addClient(sql, { grants: ["client_credentials"] });
  await sql.end();
}, longTimeoutMs);
afterAll(() => Promise.all([trusting.stop(), wary.stop()]));

let nextAddress = 0;
/** An address that nothing has come from yet. */
function newAddress(): string {
  nextAddress += 1;
  return `192.0.2.${nextAddress}`;
}

/** Signs in wrongly, with each of these as a line of its own. */
async function logInOverLines(port: number, forwarded: readonly string[]): Promise<number> {
  const headers = {
    "content-type": "application/x-www-form-urlencoded",
    "x-forwarded-for": [...forwarded],
  };
  const outgoing = request({ port, method: "POST", path: "/auth/login", headers, agent: false });
  outgoing.end("username=nobody&password=wrong");
  const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
  answer.resume();
  return answer.statusCode ?? 0;
}

describe("from one address", () => {
  test.each([
    ["POST /auth/login", "/auth/login", { username: "nobody", password: "wrong" }, "login"],
    ["POST /auth/refresh", "/auth/refresh", { refresh_token: "none" }, "refresh"],
    [
      "the password grant",
      "/auth/token",
      { grant_type: "password", username: "nobody", password: "x" },
      "login",
    ],
    [
      "the refresh_token grant",
      "/auth/token",
      { grant_type: "refresh_token", refresh_token: "none" },
      "refresh",
    ],
    ["the client_credentials grant", "/auth/token", { grant_type: "client_credentials" }, "token"],
    ["POST /auth/introspect", "/auth/introspect", { token: "none" }, "introspect"],
    ["POST /auth/revoke", "/auth/revoke", { token: "none" }, "revoke"],
    ["POST /auth/logout", "/auth/logout", { refresh_token: "none" }, "logout"],
    ["POST /auth/change-password", "/auth/change-password", { current_password: "x" }, "change-password"],
  ])("%s answers as often as its limit says, and then 429", async (_, path, form, endpoint) => {
    const address = { "x-forwarded-for": newAddress() };
    const answers = [];
    for (let call = 0; call < limit + 1; call += 1) {
      answers.push(await sendForm(trusting.url + path, form, address));
    }
    const seconds = 30 * 86_400;
    const policy = `"${endpoint}-address";q=${limit};w=${seconds}`;
    for (const { headers } of answers) expect(headers.get("ratelimit-policy")).toContain(policy);
    expect(answers.map(({ headers }) => /;r=(\d+)/.exec(headers.get("ratelimit") ?? "")?.[1])).toEqual([
      "2",
      "1",
      "0",
      "0",
    ]);
    const statuses = answers.map(({ status }) => status);
    expect(statuses.slice(0, limit)).not.toContain(429);
    const last = answers.at(-1);
    expect(last?.status).toBe(429);
    expect(last?.json).toMatchObject({ reason: "rate_limited", error: "slow_down" });
    // A third of the window, rounded up.
    const wait = Number(last?.headers.get("retry-after"));
    expect(wait).toBeLessThanOrEqual(seconds / limit);
    expect(wait).toBeGreaterThan(seconds / limit - 60);
  });

  test("login is limited alike over every protocol, all of them together", async () => {
    const address = newAddress();
    for (let call = 0; call < limit; call += 1) {
      await api(trusting).rest.login({ username: "nobody", address });
    }
    for (const caller of createCallers(trusting.url)) {
      if (caller.name.endsWith("by GET")) continue;
      const { failure } = await caller.call({
        rpc: "Login",
        input: { username: "nobody", password: "wrong" },
        headers: { "x-forwarded-for": address },
      });
      caller.close();
      expect(failure).toMatchObject({ reason: "rate_limited", code: "RESOURCE_EXHAUSTED" });
      expect(failure?.retryAfterMs).toBeGreaterThan(0);
    }
  });

  test("what is not limited says nothing of limits", async () => {
    const answer = await fetch(`${trusting.url}/.well-known/jwks.json`);
    expect([answer.headers.get("ratelimit"), answer.headers.get("ratelimit-policy")]).toEqual([null, null]);
  });
});

describe("the address that is limited", () => {
  /** The statuses of one login more than the limit, each with the next header lines. */
  async function logInFrom(service: TestService, lines: readonly string[][]): Promise<number[]> {
    const statuses: number[] = [];
    for (const forwarded of lines) statuses.push(await logInOverLines(service.port, forwarded));
    return statuses;
  }

  test("is the connection's where no proxy is trusted: a forged X-Forwarded-For changes nothing", async () => {
    const lines = [["192.0.2.1"], ["192.0.2.2, 192.0.2.3"], ["::1", "10.0.0.1"], ["2001:db8::1"]];
    expect(await logInFrom(wary, lines)).toEqual([401, 401, 401, 429]);
  });

  test("is the real one behind a trusted proxy, whatever the caller wrote before it, over several lines", async () => {
    const real = newAddress();
    const lines = [
      [`10.9.9.1, ${real}`],
      ["10.9.9.2", real],
      ["10.9.9.3", `${real}, 127.0.0.5`],
      ["x", "y", real],
    ];
    expect(await logInFrom(trusting, lines)).toEqual([401, 401, 401, 429]);
    expect(await logInFrom(trusting, [[newAddress()]])).toEqual([401]);
  });

  test("is one, however IPv4 is mapped", async () => {
    const real = newAddress();
    const [last = ""] = real.split(".").slice(-1);
    const hex = `::ffff:c000:2${Number(last).toString(16).padStart(2, "0")}`;
    const lines = [[real], [`::ffff:${real}`], [hex], [`[::ffff:${real}]:443`]];
    expect(await logInFrom(trusting, lines)).toEqual([401, 401, 401, 429]);
  });

  test("is the first 64 bits of an IPv6 address", async () => {
    const lines = [
      ["2001:db8:7:7::1"],
      ["2001:db8:7:7:ffff::2"],
      ["2001:db8:7:7:8:9:a:b"],
      ["2001:db8:7:7::"],
    ];
    expect(await logInFrom(trusting, lines)).toEqual([401, 401, 401, 429]);
    expect(await logInFrom(trusting, [["2001:db8:7:8::1"]])).toEqual([401]);
  });
});

describe("a client", () => {
  const grant = { grant_type: "client_credentials" };

  test("with a secret is limited by itself; others do not use its limit up by claiming its id", async () => {
    const claimed = await Promise.all(
      Array.from({ length: 10 }, () =>
        sendForm(`${wary.url}/auth/token`, grant, basicOf({ id: client.id, secret: "wrong" })),
      ),
    );
    expect(countStatuses(claimed)).toEqual({ 401: 10 });
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => sendForm(`${wary.url}/auth/token`, grant, basicOf(client))),
    );
    expect(countStatuses(answers)).toEqual({ 200: limit, 429: 10 - limit });
  });
});
