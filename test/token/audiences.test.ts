import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { decodeJwt } from "jose";
import type { Client } from "pg";
import { api } from "../_harness/api.ts";
import { addClient, basicOf, type TestClient } from "../_harness/clients.ts";
import * as given from "../_harness/given.ts";
import { sendForm } from "../_harness/rest.ts";
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
