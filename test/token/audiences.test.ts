import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { decodeJwt } from "jose";
import type { Client } from "pg";
import { api } from "../_harness/api.ts";
import { addClient, basicOf, type TestClient } from "../_harness/clients.ts";
import * as given from "../_harness/given.ts";
import { sendForm } from "../_harness/rest.ts";
import { writeParameters } from "../_harness/rest-call.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";
import { textOf } from "../_harness/text-of.ts";

// Whom access tokens are for.

const [shop, desk] = ["https://shop.example.org", "https://desk.example.org"];
const all = { firstParty: true, grants: ["password", "refresh_token", "client_credentials"] } as const;

let service: TestService;
let sql: Client;
let user: given.TestUser;
let own: string;
beforeAll(async () => {
  service = await startService();
  sql = await openSql(service.databaseUrl);
  user = await given.user(sql);
  own = `http://localhost:${service.port}`;
});
afterAll(async () => {
  await sql.end();
  await service.stop();
});

async function grant(client: TestClient, input: Readonly<Record<string, string>>): Promise<JsonObject> {
  const { status, json } = await sendForm(`${service.url}/auth/token`, input, basicOf(client));
  expect([status, json["reason"]]).toEqual([200, undefined]);
  return json;
}

const logIn = (client: TestClient, more = {}) =>
  grant(client, { grant_type: "password", username: user.username, password: user.password, ...more });
const refresh = (client: TestClient, { refresh_token: token }: JsonObject, more = {}) =>
  grant(client, { grant_type: "refresh_token", refresh_token: textOf(token ?? ""), ...more });
const actAlone = (client: TestClient, more = {}) =>
  grant(client, { grant_type: "client_credentials", ...more });
const tokenIn = ({ access_token: token }: JsonObject) => textOf(token ?? "");
const audienceOf = (tokens: JsonObject) => decodeJwt(tokenIn(tokens)).aud;

test.each([
  ["none", {}, () => own, () => own],
  ["one that an earlier version has set", { audience: shop }, () => [shop, own], () => shop],
  ["one", { audiences: [shop] }, () => [shop, own], () => shop],
  ["several", { audiences: [shop, desk] }, () => [shop, desk, own], () => [shop, desk]],
])(
  "a client with %s has it in its users' tokens, which we take too, and in its own",
  async (_what, options, ofUser, alone) => {
    const client = await addClient(sql, { ...all, ...options });
    const tokens = await logIn(client);
    const refreshed = await refresh(client, tokens);
    for (const each of [tokens, refreshed]) {
      expect(audienceOf(each)).toEqual(ofUser());
      expect(await api(service).rest.me(tokenIn(each))).toMatchObject({ status: 200 });
    }
    expect(audienceOf(await actAlone(client))).toEqual(alone());
  },
);

test("a change of password keeps whom the tokens are for", async () => {
  const one = await given.user(sql);
  const client = await addClient(sql, { ...all, audiences: [shop] });
  const fields = { grant_type: "password", username: one.username, password: one.password };
  const headers = { authorization: `Bearer ${tokenIn(await grant(client, fields))}` };
  const body = { current_password: one.password, new_password: "seventeen quiet herons" };
  const { json } = await sendForm(`${service.url}/auth/change-password`, body, headers);
  expect(audienceOf(json)).toEqual([shop, own]);
});

describe("resource", () => {
  const form = (resources: readonly string[], more: Readonly<Record<string, string>>) =>
    writeParameters({ ...more, resource: [...resources] });
  const ask = async (
    client: TestClient,
    resources: readonly string[],
    more: Readonly<Record<string, string>>,
  ) => sendForm(`${service.url}/auth/token`, form(resources, more), basicOf(client));

  test("narrows whom a token is for, at a login, a refresh and for a client alone, each time anew", async () => {
    const client = await addClient(sql, { ...all, audiences: [shop, desk] });
    const { username, password } = user;
    const login = await ask(client, [shop], { grant_type: "password", username, password });
    expect(audienceOf(login.json)).toBe(shop);
    expect(await api(service).rest.me(tokenIn(login.json))).toMatchObject({ status: 401 });
    const both = { grant_type: "refresh_token", refresh_token: textOf(login.json["refresh_token"]) };
    const refreshed = await ask(client, [own, desk], both);
    expect(audienceOf(refreshed.json)).toEqual([desk, own]);
    expect(audienceOf(await refresh(client, refreshed.json))).toEqual([shop, desk, own]);
    const alone = await ask(client, [desk], { grant_type: "client_credentials" });
    expect(audienceOf(alone.json)).toBe(desk);
  });

  test("that the client's tokens are not for is refused, and a refresh is none then", async () => {
    const client = await addClient(sql, { ...all, audiences: [shop] });
    const tokens = await logIn(client);
    const fields = { grant_type: "refresh_token", refresh_token: textOf(tokens["refresh_token"]) };
    for (const [resources, more] of [
      [[desk], fields],
      [[shop, desk], fields],
      [[`${shop}/`], fields],
      [[own], { grant_type: "client_credentials" }],
    ] as const) {
      const { status, json } = await ask(client, resources, more);
      expect([status, json["error"], json["reason"]]).toEqual([400, "invalid_target", "invalid_target"]);
    }
    expect(
      (
        await ask(
          client,
          Array.from({ length: 17 }, () => shop),
          fields,
        )
      ).json["error"],
    ).toBe("invalid_request");
    expect(audienceOf(await refresh(client, tokens))).toEqual([shop, own]);
  });
});
