import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { create, toBinary } from "@bufbuild/protobuf";
import type { Client } from "pg";
import { ListAuditEventsRequestSchema } from "../../src/gen/countersign/v1/audit_pb.ts";
import { addClient, type TestClient } from "../_harness/clients.ts";
import { bearerOf, send, sendForm, sendJson } from "../_harness/rest.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";
import { textOf } from "../_harness/text-of.ts";

// Text of the protocols is read by their grammars: white space is SP and HTAB, letters are those of ASCII, names
// are compared byte by byte, and what is encoded has one spelling.

const nbsp = "\u00a0";

let service: TestService;
let sql: Client;
let client: TestClient;
let accessToken: string;
beforeAll(async () => {
  service = await startService({ env: { ISSUER: "https://id.example.com" } });
  sql = await openSql(service.databaseUrl);
  client = await addClient(sql, { grants: ["client_credentials"], scopes: ["a"], canIntrospect: true });
  const { json } = await sendJson(`${service.url}/auth/login`, service.admin);
  accessToken = textOf(json["access_token"]);
});
afterAll(async () => {
  await sql.end();
  await service.stop();
});

describe("a cookie is ours by its whole name alone:", () => {
  const begin = async () => {
    const { headers } = await sendJson(`${service.url}/auth/login`, service.admin, {
      "x-auth-mode": "cookie",
    });
    return {
      pairs: headers.getSetCookie().map((line) => line.split(";")[0] ?? ""),
      csrfToken: headers.get("x-csrf-token") ?? "",
    };
  };
  const refresh = (cookie: string, csrfToken: string) =>
    sendJson(
      `${service.url}/auth/refresh`,
      {},
      { "x-auth-mode": "cookie", "x-csrf-token": csrfToken, cookie },
    );

  test.each([
    [`${nbsp}__Host-countersign_refresh`],
    [`__Host-countersign_refresh${nbsp}`],
    ["__host-countersign_refresh"],
    ["__HOST-COUNTERSIGN_REFRESH"],
    ["x__Host-countersign_refresh"],
    ["countersign_refresh"],
    ["__Host-countersign_refresh.x"],
  ])("what another host of the site has set as %j is not looked at", async (name) => {
    const [victim, attacker] = [await begin(), await begin()];
    const planted = `${name}=${attacker.pairs[0]?.slice("__Host-countersign_refresh=".length)}`;
    for (const cookie of [
      `${planted}; ${victim.pairs.join("; ")}`,
      `${victim.pairs.join("; ")}; ${planted}`,
    ]) {
      expect((await refresh(cookie, victim.csrfToken)).status).toBe(200);
    }
    const alone = await refresh(planted, attacker.csrfToken);
    expect([alone.status, alone.json["reason"]]).toEqual([401, "invalid_refresh_token"]);
  });

  test.each([";", ";\t", " ; ", ";;"])("pairs may stand between %j", async (between) => {
    const { pairs, csrfToken } = await begin();
    expect((await refresh(["a=b", ...pairs, "c"].join(between), csrfToken)).status).toBe(200);
  });
});

describe("HTTP Basic", () => {
  const introspect = (authorization: string) =>
    sendForm(`${service.url}/auth/introspect`, { token: "x" }, { authorization });
  const pairOf = ({ id, secret }: TestClient) => `${id}:${secret}`;
  // A length that takes one sign of padding.
  const padTo = (pair: string) => `${pair}${"x".repeat((5 - (pair.length % 3)) % 3)}`;

  test.each<[string, (pair: string) => string]>([
    ["as it is", (pair) => `Basic ${btoa(pair)}`],
    ["with the scheme in other letters, and more spaces", (pair) => `bASIC   ${btoa(pair)}`],
  ])("is taken %s", async (_what, authorization) => {
    expect((await introspect(authorization(pairOf(client)))).status).toBe(200);
  });

  test.each<[string, (pair: string) => string]>([
    ["without its padding", (pair) => `Basic ${btoa(padTo(pair)).replaceAll("=", "")}`],
    ["with more padding than it takes", (pair) => `Basic ${btoa(padTo(pair))}=`],
    ["with bits to spare", (pair) => `Basic ${btoa(padTo(pair)).replace(/.=$/, (end) => `${next(end)}=`)}`],
    ["with white space inside", (pair) => `Basic ${btoa(pair).slice(0, 4)} ${btoa(pair).slice(4)}`],
    ["with white space that is none at its end", (pair) => `Basic ${btoa(pair)}${nbsp}`],
    ["with white space that is none in front", (pair) => `Basic ${nbsp}${btoa(pair)}`],
    ["in the letters of base64url", () => "Basic 4pyTOj8_"],
  ])("is malformed %s", async (_what, authorization) => {
    const { status, json } = await introspect(authorization(pairOf(client)));
    expect([status, json["reason"]]).toEqual([400, "malformed_request"]);
  });

  test("has its byte order mark as part of the id", async () => {
    const pair = Buffer.from(`\ufeff${pairOf(client)}`).toString("base64");
    expect((await introspect(`Basic ${pair}`)).json["reason"]).toBe("invalid_client");
  });

  function next(end: string): string {
    return String.fromCharCode(end.charCodeAt(0) + 1);
  }
});

describe("a bearer token", () => {
  const me = (authorization: string) => send(`${service.url}/auth/me`, { headers: { authorization } });

  test.each<[(token: string) => string, number, string | undefined]>([
    [(token) => `Bearer ${token}`, 200, undefined],
    [(token) => `BEARER   ${token}`, 200, undefined],
    [(token) => `Bearer ${token}${nbsp}`, 401, "invalid_token"],
    [(token) => `Bearer ${nbsp}${token}`, 401, "invalid_token"],
    [(token) => `Bearer${nbsp}${token}`, 401, "missing_token"],
    [(token) => `Bearer ${token}=`, 401, "invalid_token"],
    [(token) => `Bearer ${token}==`, 401, "invalid_token"],
    [(token) => `Bearer ${token.replaceAll(".", ".=")}`, 401, "invalid_token"],
    [(token) => `Bearer ${token} ${token}`, 401, "invalid_token"],
    [(token) => `Bearer-x ${token}`, 401, "missing_token"],
    [() => "Bearer", 401, "invalid_token"],
  ])("%p is answered %p %p", async (authorization, status, reason) => {
    const answer = await me(authorization(accessToken));
    expect([answer.status, answer.json["reason"]]).toEqual([status, reason]);
  });
});

describe("a page token", () => {
  test("has one spelling", async () => {
    const events = (pageToken: string) =>
      send(`${service.url}/admin/audit-events?page_size=1&page_token=${encodeURIComponent(pageToken)}`, {
        headers: bearerOf(accessToken),
      });
    const token = textOf((await events("")).json["next_page_token"]);
    expect((await events(token)).status).toBe(200);
    for (const other of [
      `${token}=`,
      `${token}==`,
      ` ${token}`,
      `${token}\n`,
      `${token}!`,
      `${nbsp}${token}`,
    ]) {
      const { status, json } = await events(other);
      expect([other, status, json["reason"]]).toEqual([other, 422, "validation_failed"]);
    }
  });
});

describe("Connect by GET", () => {
  const rpc = "/countersign.v1.AuditService/ListAuditEvents";
  const call = (query: string, rpcPath = rpc) =>
    send(`${service.url}${rpcPath}?${query}`, { headers: bearerOf(accessToken) });
  // A varint above 127, whose bytes are no UTF-8.
  const message = Buffer.from(
    toBinary(ListAuditEventsRequestSchema, create(ListAuditEventsRequestSchema, { pageSize: 200 })),
  );
  const octets = [...message].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  const json = Buffer.from('{"pageSize":1}');

  test.each([
    `encoding=proto&message=${octets}`,
    `encoding=proto&base64=1&message=${message.toString("base64url")}`,
    `encoding=json&base64=1&message=${json.toString("base64url")}`,
    // The protocol leaves padding to the client.
    `encoding=json&base64=1&message=${json.toString("base64url")}=`,
    `encoding=json&message=${encodeURIComponent('{"pageSize": 1}').replaceAll("%20", "+")}`,
    "connect=v1&encoding=json&message=%7B%7D&",
  ])("reads %s", async (query) => {
    expect((await call(query)).status).toBe(200);
  });

  test.each([
    `encoding=json&base64=1&message=${json.toString("base64url")}==`,
    `encoding=json&base64=1&message=${json.toString("base64url").slice(0, 8)}+${json.toString("base64url").slice(8)}`,
    `encoding=json&base64=1&message=%0A${json.toString("base64url")}`,
    "encoding=json&base64=1&message=eyJhIjoiPz8_Pz4-In0,",
    "encoding=json&base64=1&message=eyJhIjoiPz8/Pz4+In0",
    "encoding=json&message=%7B%22pageToken%22%3A%22%FF%22%7D",
    "encoding=json&message=%7B%7D&message=%7B%7D",
    "encoding=json&message=%7B%7D&x=%",
    "encoding=json&message=%7B%7D&x=%zz",
  ])("refuses %s", async (query) => {
    const { status, json } = await call(query);
    expect([status, json["code"]]).toEqual([400, "invalid_argument"]);
  });
});

describe("a media type's parameters that mean nothing are passed over", () => {
  const login = "/countersign.v1.AuthService/Login";
  test.each([
    [login, "application/json; foo=bar"],
    [login, 'application/json;charset="UTF-8";v=1'],
    [login, "Application/JSON ; charset=utf8"],
    ["/auth/login", "application/json; foo=bar; odata.metadata=none"],
    ["/auth/login", "application/json; charset=utf8"],
  ])("at %s with %s", async (path, contentType) => {
    const answer = await sendJson(service.url + path, service.admin, { "content-type": contentType });
    expect(answer.status).toBe(200);
  });

  test.each(["application/problem+jsonx", "text/application/problem+json", "application/problem+json;q=0"])(
    "%s does not name a problem's own type",
    async (accept) => {
      const form = { accept: `${accept}, application/json` };
      const { headers } = await sendForm(`${service.url}/auth/token`, { grant_type: "x" }, form);
      expect(headers.get("content-type")).toBe("application/json");
    },
  );
});

describe("an RFC's own media type is served", () => {
  test.each([
    ["application/jwk-set+json", "application/jwk-set+json"],
    ["application/jwk-set+json, application/json;q=0.5", "application/jwk-set+json"],
    // What clients that know both send.
    ["application/json, application/jwk-set+json", "application/json"],
    ["*/*", "application/json"],
  ])("for %s as %s", async (accept, contentType) => {
    const answer = await fetch(`${service.url}/.well-known/jwks.json`, { headers: { accept } });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, contentType]);
    expect(await answer.json()).toMatchObject({ keys: [{ kty: "EC" }] });
  });

  test.each(["application/jwk+json", "application/token-introspection+jwt"])("and not %s", async (accept) => {
    expect((await send(`${service.url}/.well-known/jwks.json`, { headers: { accept } })).status).toBe(406);
  });
});

describe("a form's ticked box", () => {
  test.each([
    ["on", 200, true],
    ["true", 200, true],
    ["false", 200, false],
    ["", 200, false],
    ["ON", 400, false],
    ["yes", 400, false],
    ["1", 400, false],
  ])("with the value %j is answered %p", async (remember, status, known) => {
    const answer = await sendForm(`${service.url}/auth/login`, {
      ...service.admin,
      remember_device: remember,
    });
    expect([answer.status, "device_token" in answer.json]).toEqual([status, known]);
  });
});

test("an empty scope is left out of tokens and of introspection", async () => {
  const grant = async (scope: Readonly<Record<string, string>>) => {
    const form = { grant_type: "client_credentials", client_id: client.id, client_secret: client.secret };
    return textOf((await sendForm(`${service.url}/auth/token`, { ...form, ...scope })).json["access_token"]);
  };
  const claimsOf = (token: string) =>
    JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;
  const told = async (token: string) => {
    const form = { token, client_id: client.id, client_secret: client.secret };
    return (await sendForm(`${service.url}/auth/introspect`, form)).json;
  };
  const [without, withOne] = [await grant({}), await grant({ scope: "a" })];
  expect(claimsOf(without)).not.toHaveProperty("scope");
  expect(claimsOf(withOne)).toHaveProperty("scope", "a");
  expect(await told(without)).toMatchObject({ active: true });
  expect(await told(without)).not.toHaveProperty("scope");
  expect(await told(withOne)).toMatchObject({ active: true, scope: "a" });
});
