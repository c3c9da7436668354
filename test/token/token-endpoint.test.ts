import { setTimeout as delay } from "node:timers/promises";
import { type DescMethodUnary, fromJson, type JsonObject, toJson } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { decodeJwt } from "jose";
import type { Client } from "pg";
import { TokenService } from "../../src/gen/countersign/v1/token_pb.ts";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { sessionIdOf } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { addClient, basicOf, postOf, type TestClient } from "../_harness/clients.ts";
import * as given from "../_harness/given.ts";
import { basic, bearerOf, type RestAnswer, send, sendForm, sendJson } from "../_harness/rest.ts";
import { ageRotations, readSession } from "../_harness/rows/sessions.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";
import { textOf } from "../_harness/text-of.ts";

// RFC 6749 sections 2.3, 3.2, 4.3, 4.4, 5 and 6; sections 4 and 5 of the contract.

type Parameters = Readonly<Record<string, string>>;
type Ask = (input: Parameters, headers?: Parameters) => Promise<Answer>;

/** How a request ended, whatever it went by. */
interface Answer {
  readonly reason: string | null;
  readonly body: JsonObject;
}

let service: TestService;
let sql: Client;
let user: given.TestUser;
let app: TestClient;
let pub: TestClient;
let machine: TestClient;
let stranger: TestClient;
let sessions: Http2SessionManager;
beforeAll(async () => {
  service = await startService({ env: { BUILTIN_CLIENT_SCOPES: "a b" } });
  sessions = new Http2SessionManager(service.url);
  sql = await openSql(service.databaseUrl);
  user = await given.user(sql);
  const own = { firstParty: true, grants: ["password", "refresh_token"], scopes: ["a", "b"] } as const;
  app = await addClient(sql, own);
  pub = await addClient(sql, { ...own, public: true });
  machine = await addClient(sql, { grants: ["client_credentials"], scopes: ["a", "b"], audience: "api" });
  stranger = await addClient(sql, { grants: ["refresh_token"] });
});
afterAll(async () => {
  sessions.abort();
  await sql.end();
  await service.stop();
});

const post = (input: Parameters, headers: Parameters = {}) =>
  sendForm(`${service.url}/auth/token`, input, headers);
const passwordOf = ({ username, password }: given.TestUser) => ({
  grant_type: "password",
  username,
  password,
});
const refreshOf = (token: unknown) => ({ grant_type: "refresh_token", refresh_token: textOf(token) });
const credentials = { grant_type: "client_credentials" };

function fromRest({ status, json }: RestAnswer): Answer {
  return { reason: status < 300 ? null : textOf(json["reason"]), body: json };
}

/** Calls the RPC by a real client of its protocol. */
async function callRpc(protocol: "gRPC" | "Connect", input: Parameters, headers: Parameters) {
  const options = { baseUrl: service.url, sessionManager: sessions };
  const transport =
    protocol === "gRPC"
      ? createGrpcTransport(options)
      : createConnectTransport({ ...options, httpVersion: "2", useBinaryFormat: false });
  const method: DescMethodUnary = TokenService.method.issueToken;
  try {
    const request = fromJson(method.input, { ...input });
    const { message } = await transport.unary(method, undefined, undefined, { ...headers }, request);
    return { reason: null, body: toJson(method.output, message, { useProtoFieldName: true }) as JsonObject };
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    return { reason: error.findDetails(ErrorInfoSchema)[0]?.reason ?? "", body: {} };
  }
}

describe.each<[string, Ask]>([
  ["REST with a form", async (input, headers) => fromRest(await post(input, headers))],
  [
    "REST with JSON",
    async (input, headers) => fromRest(await sendJson(`${service.url}/auth/token`, input, headers)),
  ],
  ["gRPC", (input, headers = {}) => callRpc("gRPC", input, headers)],
  ["Connect", (input, headers = {}) => callRpc("Connect", input, headers)],
])("the token endpoint by %s", (_name, ask) => {
  test("signs a user in with a password, and refreshes", async () => {
    const first = await ask({ ...passwordOf(user), scope: "a", ...postOf(app) });
    expect(first.reason).toBeNull();
    expect(first.body).toEqual({
      access_token: expect.any(String),
      refresh_token: expect.stringMatching(/^csr_/),
      token_type: "bearer",
      expires_in: 900,
    });
    const claims = decodeJwt(textOf(first.body["access_token"]));
    expect(claims).toMatchObject({ client_id: app.id, scope: "a", sid: expect.stringMatching(/^ses_/) });
    const next = await ask(refreshOf(first.body["refresh_token"]), basicOf(app));
    expect(decodeJwt(textOf(next.body["access_token"]))).toMatchObject({
      client_id: app.id,
      sid: claims["sid"],
    });
  });

  test("serves the built-in client, where none is named", async () => {
    const { body } = await ask(passwordOf(user));
    expect(decodeJwt(textOf(body["access_token"]))["client_id"]).toBe("countersign");
  });

  test("gives a client a token of its own, without a refresh token", async () => {
    const { body } = await ask({ ...credentials, scope: "b a" }, basicOf(machine));
    expect(Object.keys(body).toSorted()).toEqual(["access_token", "expires_in", "token_type"]);
    const claims = decodeJwt(textOf(body["access_token"]));
    expect(claims).toMatchObject({
      sub: machine.id,
      client_id: machine.id,
      aud: "api",
      scope: "b a",
      iss: `http://localhost:${service.port}`,
      exp: Number(claims.iat) + 900,
    });
    for (const claim of ["sid", "auth_time", "amr", "roles"]) expect(claims).not.toHaveProperty(claim);
  });

  test("says the same reasons", async () => {
    const reasonOf = async (input: Parameters, headers?: Parameters) => (await ask(input, headers)).reason;
    expect(await reasonOf({ ...passwordOf(user), password: "wrong" })).toBe("invalid_credentials");
    expect(await reasonOf(refreshOf("csr_none"))).toBe("invalid_refresh_token");
    expect(await reasonOf(credentials, basic(`${machine.id}:wrong`))).toBe("invalid_client");
    expect(await reasonOf(credentials, basicOf(app))).toBe("unauthorized_client");
    expect(await reasonOf({ ...credentials, scope: "c" }, basicOf(machine))).toBe("invalid_scope");
    expect(await reasonOf({ grant_type: "authorization_code" })).toBe("unsupported_grant_type");
    expect(await reasonOf({ username: user.username })).toBe("validation_failed");
    expect(await reasonOf({ grant_type: "password", username: user.username })).toBe("validation_failed");
    expect(await reasonOf({ grant_type: "refresh_token" })).toBe("validation_failed");
  });
});

describe("over REST", () => {
  test("a success is kept out of caches", async () => {
    const { status, headers } = await post(credentials, basicOf(machine));
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("pragma")).toBe("no-cache");
  });

  test.each<[string, () => Parameters, number, string]>([
    ["a wrong password", () => ({ ...passwordOf(user), password: "wrong" }), 400, "invalid_grant"],
    ["a name that is not there", () => ({ ...passwordOf(user), username: "nobody" }), 400, "invalid_grant"],
    ["a foreign refresh token", () => refreshOf("csr_AAAA"), 400, "invalid_grant"],
    [
      "a grant that is not the client's",
      () => ({ ...credentials, ...postOf(app) }),
      400,
      "unauthorized_client",
    ],
    [
      "a password for a client that is not first-party",
      () => ({ ...passwordOf(user), ...postOf(stranger) }),
      400,
      "unauthorized_client",
    ],
    ["a public client for itself", () => ({ ...credentials, ...postOf(pub) }), 400, "unauthorized_client"],
    ["the built-in client for itself", () => credentials, 400, "unauthorized_client"],
    ["a scope that is not the client's", () => ({ ...passwordOf(user), scope: "c" }), 400, "invalid_scope"],
    ["a malformed scope", () => ({ ...passwordOf(user), scope: "a  b" }), 400, "invalid_scope"],
    ["another grant", () => ({ grant_type: "implicit" }), 400, "unsupported_grant_type"],
    ["no grant", () => ({ username: "a", password: "b" }), 400, "invalid_request"],
    ["no username", () => ({ grant_type: "password", password: "b" }), 400, "invalid_request"],
    ["no password", () => ({ grant_type: "password", username: "a" }), 400, "invalid_request"],
    ["no refresh token", () => ({ grant_type: "refresh_token" }), 400, "invalid_request"],
    ["a client that is not there", () => ({ ...credentials, client_id: "none" }), 401, "invalid_client"],
    [
      "a wrong secret",
      () => ({ ...credentials, client_id: machine.id, client_secret: "wrong" }),
      401,
      "invalid_client",
    ],
    ["no secret", () => ({ ...credentials, client_id: machine.id }), 401, "invalid_client"],
    [
      "a secret of a public client",
      () => ({ ...passwordOf(user), client_id: pub.id, client_secret: "x" }),
      401,
      "invalid_client",
    ],
  ])("%s is answered as RFC 6749 section 5.2 says", async (_what, input, status, error) => {
    const answer = await post(input());
    expect([answer.status, answer.json["error"]]).toEqual([status, error]);
    expect(answer.json).toMatchObject({ status, error_description: answer.json["detail"] });
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    // RFC 9110 section 11.6.1 wants a challenge with 401; Basic would open a browser's dialog.
    const challenge = answer.headers.get("www-authenticate");
    expect(challenge?.split(" ")[0] ?? null).toBe(status === 400 ? null : "Bearer");
  });

  test("a suspended user's right password is no invalid_grant, and no success", async () => {
    const suspended = await given.user(sql, { status: "suspended" });
    const { status, json } = await post(passwordOf(suspended));
    expect([status, json["error"], json["reason"]]).toEqual([400, "access_denied", "account_suspended"]);
  });

  test("Basic is challenged with Basic, whoever is not there", async () => {
    for (const pair of [`${machine.id}:wrong`, "none:x", `${machine.id}:`]) {
      const { status, headers, json } = await post(credentials, basic(pair));
      expect([status, json["error"]]).toEqual([401, "invalid_client"]);
      expect(headers.get("www-authenticate")).toMatch(/^Basic realm=/);
    }
    const other = await post({ ...credentials, scope: "c" }, basicOf(machine));
    expect([other.status, other.headers.get("www-authenticate")]).toEqual([400, null]);
  });

  test("problem+json is for those who name it", async () => {
    const named = await post(credentials, { accept: "application/json, application/problem+json" });
    expect(named.headers.get("content-type")).toBe("application/problem+json");
    expect(named.json["error"]).toBe("unauthorized_client");
    const any = await post(credentials, { accept: "*/*" });
    expect(any.headers.get("content-type")).toBe("application/json");
  });

  test("a known parameter given twice is refused, an unknown one ignored, an empty one left out", async () => {
    const body = `grant_type=client_credentials&client_id=${machine.id}&client_secret=${machine.secret}`;
    const send = (more: string) => sendForm(`${service.url}/auth/token`, body + more);
    expect((await send("&scope=a&scope=b")).json["error"]).toBe("invalid_request");
    expect((await send("&audience=x&audience=y&resource=&scope=&username=")).status).toBe(200);
  });

  test.each([
    ["a null byte", "%00"],
    ["a null byte in it", "a%00b"],
    ["other planes", "%F0%9F%98%80"],
    ["a lone surrogate", "%ED%A0%80"],
    ["ten thousand letters", "a".repeat(10_000)],
    ["a quote", "'; select 1"],
  ])("a client id with %s is a client that is not there, or cannot be read", async (_what, id) => {
    for (const path of ["/auth/token", "/auth/introspect", "/auth/revoke", "/auth/login"]) {
      const input = { ...passwordOf(user), token: "x" };
      const { status } = await sendForm(service.url + path, input, basic(`${id}:secret`));
      expect([400, 401]).toContain(status);
    }
  });
});

describe("client authentication", () => {
  test("goes by Basic, by parameters, and by both where they do not disagree", async () => {
    const { id, secret } = machine;
    expect((await post({ ...credentials, ...postOf(machine) })).status).toBe(200);
    expect((await post(credentials, basicOf(machine))).status).toBe(200);
    expect((await post({ ...credentials, client_id: id }, basicOf(machine))).status).toBe(200);
    expect((await post({ ...credentials, client_secret: secret }, basic(`${id}:`))).status).toBe(200);
    expect((await post({ ...credentials, ...postOf(machine) }, basic(":"))).status).toBe(200);
  });

  test("in two ways is refused", async () => {
    for (const input of [postOf(machine), { client_id: app.id }, { client_secret: machine.secret }]) {
      const { status, json, headers } = await post({ ...credentials, ...input }, basicOf(machine));
      expect([status, json["error"], headers.get("www-authenticate")]).toEqual([
        400,
        "invalid_request",
        null,
      ]);
    }
  });

  test("by Basic is form-decoded", async () => {
    const client = await addClient(sql, {
      id: "urn:example:client",
      secret: "p+ss %:wörd&",
      grants: ["client_credentials"],
    });
    const [id, secret] = ["urn%3Aexample%3Aclient", "p%2Bss+%25%3Aw%C3%B6rd%26"];
    expect((await post(credentials, basic(`${id}:${secret}`))).status).toBe(200);
    expect((await post(credentials, basicOf(client))).status).toBe(200);
    expect((await post(credentials, basic(`${id}:${secret.replace("%2B", "+")}`))).status).toBe(401);
    expect((await post(credentials, basic(`${id}:%`))).json["error"]).toBe("invalid_request");
  });
});

test("a client's own token opens no door of a user's", async () => {
  const ours = await addClient(sql, { grants: ["client_credentials"] });
  const { json } = await post(credentials, basicOf(ours));
  const headers = bearerOf(json["access_token"] as string);
  for (const path of ["/auth/me", "/auth/sessions"]) {
    const answer = await send(service.url + path, { headers });
    expect([answer.status, answer.json["reason"]]).toEqual([401, "invalid_token"]);
  }
});

test("a client that is not first-party never sees a password at /auth/login either", async () => {
  const { username, password } = user;
  const input = { username, password, ...postOf(stranger) };
  const { status, json } = await sendForm(`${service.url}/auth/login`, input);
  expect([status, json["error"]]).toEqual([403, "unauthorized_client"]);
});

describe("a refresh token", () => {
  const begin = async (client: TestClient) => {
    const { json } = await post({ ...passwordOf(user), ...postOf(client) });
    return { access_token: textOf(json["access_token"]), refresh_token: textOf(json["refresh_token"]) };
  };

  test("is its client's alone, and another's attempt does it no harm", async () => {
    const mine = await begin(app);
    for (const other of [pub, stranger]) {
      const { status, json } = await post({ ...refreshOf(mine.refresh_token), ...postOf(other) });
      expect([status, json["error"]]).toEqual([400, "invalid_grant"]);
    }
    expect((await post(refreshOf(mine.refresh_token))).json["error"]).toBe("invalid_grant");
    const public_ = await begin(pub);
    expect((await post(refreshOf(public_.refresh_token), basicOf(app))).json["error"]).toBe("invalid_grant");
    expect(await readSession(sql, sessionIdOf({ access_token: mine.access_token }))).toEqual({
      generation: 0n,
      ended: false,
    });
    expect((await post(refreshOf(mine.refresh_token), basicOf(app))).status).toBe(200);
    expect((await post({ ...refreshOf(public_.refresh_token), ...postOf(pub) })).status).toBe(200);
  });

  test("of a confidential client needs its secret, at /auth/refresh too", async () => {
    const { refresh_token } = await begin(app);
    for (const path of ["/auth/token", "/auth/refresh"]) {
      const input = { ...refreshOf(refresh_token), client_id: app.id };
      expect((await sendForm(service.url + path, input)).json["error"]).toBe("invalid_client");
      expect((await sendForm(service.url + path, input, basicOf(app))).status).toBe(200);
    }
  });

  test("that is used again after the grace is 400 invalid_grant, and the session has ended", async () => {
    const first = await begin(app);
    const second = await post(refreshOf(first.refresh_token), basicOf(app));
    const next = await post(refreshOf(second.json["refresh_token"]), basicOf(app));
    await ageRotations(sql, sessionIdOf(first), 61);
    for (const token of [first.refresh_token, textOf(next.json["refresh_token"])]) {
      const { status, json } = await post(refreshOf(token), basicOf(app));
      expect([status, json["error"], json["reason"]]).toEqual([
        400,
        "invalid_grant",
        "invalid_refresh_token",
      ]);
    }
    expect(await api(service).rest.me(textOf(next.json["access_token"]))).toMatchObject({ status: 401 });
  });

  test("is refused to a client that may not refresh", async () => {
    const client = await addClient(sql, { firstParty: true, grants: ["password"] });
    const { refresh_token } = await begin(client);
    const { status, json } = await post({ ...refreshOf(refresh_token), ...postOf(client) });
    expect([status, json["error"]]).toEqual([400, "unauthorized_client"]);
  });
});

describe("a client's own", () => {
  const own = { firstParty: true, grants: ["password", "refresh_token"] } as const;

  test("lifetime of access tokens holds for logins, refreshes and itself", async () => {
    const client = await addClient(sql, {
      firstParty: true,
      grants: ["password", "refresh_token", "client_credentials"],
      accessTokenTtlSeconds: 120,
    });
    const login = await post(passwordOf(user), basicOf(client));
    const refreshed = await post(refreshOf(login.json["refresh_token"]), basicOf(client));
    const alone = await post(credentials, basicOf(client));
    for (const { json } of [login, refreshed, alone]) {
      const { exp, iat } = decodeJwt(textOf(json["access_token"]));
      expect([json["expires_in"], Number(exp) - Number(iat)]).toEqual([120, 120]);
    }
  });

  test("grace takes the place of the service's, also where it is none", async () => {
    const strict = await addClient(sql, { ...own, refreshGraceMs: 0 });
    const lenient = await addClient(sql, { ...own, refreshGraceMs: 300_000 });
    for (const [client, seconds, status] of [
      [strict, 0, 400],
      [lenient, 200, 200],
      [lenient, 301, 400],
    ] as const) {
      const { json } = await post(passwordOf(user), basicOf(client));
      const next = await post(refreshOf(json["refresh_token"]), basicOf(client));
      await post(refreshOf(next.json["refresh_token"]), basicOf(client));
      await ageRotations(sql, sessionIdOf({ access_token: textOf(json["access_token"]) }), seconds);
      expect((await post(refreshOf(json["refresh_token"]), basicOf(client))).status).toBe(status);
    }
  });
});

describe("what operators do to a client", () => {
  test("deletion ends its sessions, for access tokens within a second", async () => {
    const client = await addClient(sql, { firstParty: true, grants: ["password", "refresh_token"] });
    const { json } = await post(passwordOf(user), basicOf(client));
    const { json: other } = await post(passwordOf(user));
    expect(await api(service).rest.me(textOf(json["access_token"]))).toMatchObject({ status: 200 });
    expect(await service.command(["client", "delete", client.id])).toMatchObject({ code: 0 });
    // sleep: within a second is the promise.
    await delay(1000);
    expect((await post(refreshOf(json["refresh_token"]), basicOf(client))).json["error"]).toBe(
      "invalid_client",
    );
    expect(await api(service).rest.me(textOf(json["access_token"]))).toMatchObject({ status: 401 });
    expect(await api(service).rest.me(textOf(other["access_token"]))).toMatchObject({ status: 200 });
    // A new client of the same id inherits nothing.
    await addClient(sql, { ...client, firstParty: true, grants: ["password", "refresh_token"] });
    expect((await post(refreshOf(json["refresh_token"]), basicOf(client))).json["error"]).toBe(
      "invalid_grant",
    );
  });

  test("a rotated secret counts at once, ends the old one within a second, and no session", async () => {
    const client = await addClient(sql, { firstParty: true, grants: ["password", "refresh_token"] });
    const { json } = await post(passwordOf(user), basicOf(client));
    const { stdout } = await service.command(["client", "rotate-secret", client.id, "--json"]);
    const secret = textOf((JSON.parse(stdout) as JsonObject)["client_secret"]);
    expect((await post(refreshOf(json["refresh_token"]), basicOf({ ...client, secret }))).status).toBe(200);
    expect((await post(refreshOf(json["refresh_token"]), basicOf(client))).status).toBe(401);
  });
});
