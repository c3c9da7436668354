import { createHash } from "node:crypto";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { toJson } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { AuditEventSchema, AuditService } from "../../src/gen/countersign/v1/audit_pb.ts";
import * as given from "../_harness/given.ts";
import { bearerOf, type RestAnswer, send } from "../_harness/rest.ts";
import { insertEvent } from "../_harness/rows/audit.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

const ids = ["a", "b", "c"].map((letter) => `usr_${letter.repeat(26)}`);

let service: TestService;
let sql: Client;
let bearer: { readonly authorization: string };
beforeAll(async () => {
  service = await startService();
  sql = await openSql(service.databaseUrl);
  const { access_token } = await given.session(service, { user: service.admin });
  bearer = bearerOf(access_token);
  for (let number = 1; number <= 7; number += 1) {
    await insertEvent(sql, {
      type: number % 2 === 0 ? "login.failed" : "session.ended",
      reason: `n${number}`,
      at: `timestamptz '2020-01-31 23:59:59.123456Z' + ${number} * interval '1 day'`,
      actor: "anonymous",
      userId: ids[number % 3],
      address: `192.0.2.${number}`,
    });
  }
}, 120_000);
afterAll(async () => {
  await sql.end();
  await service.stop();
});

function list(query: Readonly<Record<string, string>>, headers = bearer): Promise<RestAnswer> {
  const parameters = new URLSearchParams({ until: "2021-01-01T00:00:00Z", ...query });
  return send(`${service.url}/admin/audit-events?${parameters.toString()}`, { headers });
}

async function reasonsOf(query: Readonly<Record<string, string>>): Promise<unknown[]> {
  const { audit_events: events } = (await list(query)).json as { audit_events: { reason: string }[] };
  return events.map(({ reason }) => reason);
}

const whole = {
  id: expect.stringMatching(/^\d+$/),
  occurred_at: "2020-02-07T23:59:59.123456Z",
  type: "session.ended",
  actor_kind: "anonymous",
  actor_id: null,
  user_id: ids[1],
  name_hmac: null,
  session_id: null,
  client_id: null,
  key_id: null,
  reason: "n7",
  count: 1,
  request_id: null,
  client_address: "192.0.2.7",
  user_agent: null,
};

/** A token of `list` without other conditions, as the service would make it for an event at this place. */
function tokenOf(...place: string[]): string {
  const digest = createHash("sha256")
    .update('{"until":"2021-01-01T00:00:00.000Z"}')
    .digest()
    .subarray(0, 8)
    .toString("base64url");
  return Buffer.from(JSON.stringify([digest, ...place])).toString("base64url");
}

test("the token that the next tests forge is of the form that the service reads", async () => {
  expect((await list({ page_token: tokenOf("2020-02-03T00:00:00.000000Z", "1") })).status).toBe(200);
});

describe("GET /admin/audit-events", () => {
  test("answers whole events, the newest first", async () => {
    const answer = await list({ page_size: "1" });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toBe("private, no-store");
    expect(answer.json).toEqual({
      audit_events: [whole],
      next_page_token: expect.stringMatching(/^[\w-]+$/),
    });
  });

  test("answers alike over gRPC", async () => {
    const sessionManager = new Http2SessionManager(service.url);
    const client = createClient(AuditService, createGrpcTransport({ baseUrl: service.url, sessionManager }));
    const query = { pageSize: 1, types: ["session.ended"], clientAddress: "192.0.2.0/24" };
    const { auditEvents } = await client.listAuditEvents(query, { headers: bearer });
    sessionManager.abort();
    const set = Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== null));
    const events = auditEvents.map((event) => toJson(AuditEventSchema, event, { useProtoFieldName: true }));
    expect(events).toEqual([set]);
  });

  test("leads from page to page, each event once, to an end", async () => {
    const found: unknown[] = [];
    let token = "";
    do {
      const { json } = await list({ page_size: "3", page_token: token });
      const page = json as unknown as { audit_events: { reason: string }[]; next_page_token?: string };
      found.push(...page.audit_events.map(({ reason }) => reason));
      token = page.next_page_token ?? "";
    } while (token !== "");
    expect(found).toEqual(["n7", "n6", "n5", "n4", "n3", "n2", "n1"]);
  });

  test.each([
    [{ types: "login.failed" }, ["n6", "n4", "n2"]],
    [{ user_id: ids[1] ?? "" }, ["n7", "n4", "n1"]],
    [{ client_address: "192.0.2.5" }, ["n5"]],
    [{ client_address: "192.0.2.4/31" }, ["n5", "n4"]],
    [{ since: "2020-02-05T23:59:59.123456Z" }, ["n7", "n6", "n5"]],
    [{ until: "2020-02-03T00:00:00Z" }, ["n2", "n1"]],
    [{ user_id: `usr_${"d".repeat(26)}` }, []],
  ])("answers what meets the conditions: %j", async (query, expected) => {
    expect(await reasonsOf(query)).toEqual(expected);
  });

  test.each([
    [{ page_size: "1001" }, "page_size"],
    [{ page_size: "-1" }, "page_size"],
    [{ page_token: "bm90IG91cnM" }, "page_token"],
    [{ page_token: tokenOf("0000-01-01T00:00:00.000000Z", "1") }, "page_token"],
    [{ page_token: tokenOf("2020-02-30T00:00:00.000000Z", "1") }, "page_token"],
    [{ page_token: tokenOf("2020-02-03T00:00:00.000000Z", "1a") }, "page_token"],
    [{ page_token: tokenOf("2020-02-03T00:00:00.000000Z") }, "page_token"],
    [{ page_token: tokenOf("2020-02-03T00:00:00.000000Z", "1"), types: "login.failed" }, "page_token"],
    [{ user_id: "a\0b" }, "user_id"],
    [{ types: "no.such" }, "types"],
    [{ client_address: "fe80::1%eth0" }, "client_address"],
    [{ client_address: "192.0.2.1,192.0.2.2" }, "client_address"],
    [{ client_address: "not an address" }, "client_address"],
  ])("names the field that is not valid: %j", async (query, field) => {
    const answer = await list(query);
    expect(answer.status).toBe(422);
    expect(answer.json["errors"]).toEqual([{ field, code: expect.any(String), detail: expect.any(String) }]);
  });

  test("is for the role admin alone", async () => {
    const user = await given.user(sql);
    const { access_token } = await given.session(service, { user });
    const denied = await list({}, bearerOf(access_token));
    expect([denied.status, denied.json["reason"]]).toEqual([403, "permission_denied"]);
    const unknown = await send(`${service.url}/admin/audit-events`);
    expect([unknown.status, unknown.json["reason"]]).toEqual([401, "missing_token"]);
  });
});
