import { createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { setTimeout as delay } from "node:timers/promises";
import type { JsonObject, MessageInitShape } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Client } from "pg";
import { type ImportUsersRequestSchema, UserService } from "../../src/gen/countersign/v1/users_pb.ts";
import { newName, signInWith } from "../admin/callers.ts";
import { requireTokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { eventually } from "../_harness/eventually.ts";
import { fromConnectError } from "../_harness/outcome.ts";
import { bearerOf, type RestAnswer, send } from "../_harness/rest.ts";
import { insertRole } from "../_harness/rows/roles.ts";
import { openTrail } from "../_harness/rows/trail.ts";
import { changeUser, countUsers } from "../_harness/rows/users.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

// Bringing users in over the network: UserService.ImportUsers.

jest.setTimeout(60_000);

let service: TestService;
let sql: Client;
let sessions: Http2SessionManager;
let admin: string;
beforeAll(async () => {
  service = await startService({ env: { STREAM_IDLE_TIMEOUT: "2s" } });
  sql = await openSql(service.databaseUrl);
  sessions = new Http2SessionManager(service.url);
  admin = (await signInWith(service, "admin")).token;
}, 120_000);
afterAll(async () => {
  sessions.abort();
  await sql.end();
  await service.stop();
});

/** Of "correct horse". */
const hash = "$2y$04$cTD3D5HfyAtuNElYwWDfsu0F.8wnRLhXyJOtKyY0rV3i39ifErK.u";
const record = (): JsonObject => ({ username: newName("moved"), password_hash: hash });
const linesOf = (records: readonly object[]) => records.map((each) => `${JSON.stringify(each)}\n`).join("");

const ndjson = "application/x-ndjson";
function upload(
  body: string | ReadableStream<Uint8Array>,
  { token = admin, query = "", type = ndjson, signal = null as AbortSignal | null } = {},
): Promise<RestAnswer> {
  const headers = { ...bearerOf(token), "content-type": type };
  return send(`${service.url}/admin/users:import${query}`, {
    method: "POST",
    headers,
    body,
    signal,
    ...(typeof body === "string" ? {} : { duplex: "half" }),
  });
}

type Message = MessageInitShape<typeof ImportUsersRequestSchema>;

async function* messagesOf(names: readonly string[]): AsyncGenerator<Message> {
  for (const username of names) yield { user: { username, passwordHash: hash } };
}

const url = () => ({ baseUrl: service.url, sessionManager: sessions });
const transports: Readonly<Record<string, () => Transport>> = {
  gRPC: () => createGrpcTransport(url()),
  "gRPC-Web": () => createGrpcWebTransport({ baseUrl: service.url, httpVersion: "1.1" }),
  Connect: () => createConnectTransport({ ...url(), httpVersion: "2" }),
};

describe.each(Object.entries(transports))("an import over %s", (_name, create) => {
  const importAll = (messages: AsyncIterable<Message>) =>
    createClient(UserService, create()).importUsers(messages, { headers: bearerOf(admin) });

  test("brings all users in once, however often it is repeated, and they sign in", async () => {
    const names = Array.from({ length: 620 }, () => newName("moved"));
    const before = await countUsers(sql);
    expect(await importAll(messagesOf(names))).toMatchObject({ created: 620, existing: 0, refused: 0 });
    expect(await importAll(messagesOf(names))).toMatchObject({ created: 0, existing: 620, refused: 0 });
    expect((await countUsers(sql)) - before).toBe(620);
    const [username = ""] = names;
    requireTokens(await api(service).rest.login({ username, password: "correct horse" }));
  });

  test("that says nothing any more is given up", async () => {
    const stalled = async function* (): AsyncGenerator<Message> {
      yield { user: { username: newName("moved") } };
      await new Promise(() => undefined);
    };
    const outcome = await importAll(stalled()).then(
      () => null,
      (error: unknown) => fromConnectError(error),
    );
    expect(outcome?.failure?.reason).toBe("request_timeout");
  });
});

describe("an upload of lines", () => {
  test("takes what user export writes, line by line", async () => {
    const { stdout } = await service.command(["user", "export"]);
    const lines = stdout.trimEnd().split("\n").length;
    const { status, json } = await upload(stdout);
    expect([status, json]).toEqual([200, { created: 0, existing: lines, refused: 0, refusals: [] }]);
  });

  test("names each user who is refused, and takes the others", async () => {
    const records = [
      record(),
      { ...record(), email: "no address" },
      {},
      { ...record(), status: "asleep" },
      { ...record(), password_hash: "$2y$31$too.costly" },
      { ...record(), roles: ["a-role-that-there-is-not"] },
      { ...record(), claims: { filler: "x".repeat(20_000) } },
      record(),
    ];
    const before = await countUsers(sql);
    const { status, json } = await upload(linesOf(records));
    const refusals = json["refusals"] as unknown as { place: number; field: string; code: string }[];
    expect([status, json["created"], json["refused"]]).toEqual([200, 2, 6]);
    expect(refusals.map(({ place, field, code }) => [place, field, code])).toEqual([
      [2, "email", "bad_form"],
      [3, "username", "required"],
      [4, "status", "bad_form"],
      [5, "password_hash", "invalid"],
      [6, "roles", "not_found"],
      [7, "", "too_long"],
    ]);
    expect((await countUsers(sql)) - before).toBe(2);
  });

  test("keeps nothing in a dry run, and writes no event", async () => {
    const newRows = openTrail(sql);
    await newRows();
    const before = await countUsers(sql);
    const { json } = await upload(linesOf([record(), record()]), { query: "?dry_run=true" });
    expect(json).toEqual({ created: 2, existing: 0, refused: 0, refusals: [] });
    expect([await countUsers(sql), await newRows()]).toEqual([before, []]);
  });

  test("refuses the roles that the caller may not give", async () => {
    const role = newName("importer");
    await insertRole(sql, role, ["users.import", "users.set_roles", "users.read"]);
    const { token } = await signInWith(service, role);
    const records = [
      { ...record(), roles: ["admin"] },
      { ...record(), roles: ["support"] },
      { ...record(), roles: [role] },
      record(),
    ];
    const { json } = await upload(linesOf(records), { token });
    const refusals = json["refusals"] as unknown as { place: number; code: string }[];
    expect(refusals.map(({ place, code }) => [place, code])).toEqual([
      [1, "not_allowed"],
      [2, "not_allowed"],
    ]);
    expect([json["created"], json["refused"]]).toEqual([2, 2]);
  });

  test("writes one event for each user, by who brought them in", async () => {
    const { id, token } = await signInWith(service, "user_admin");
    const newRows = openTrail(sql);
    await newRows();
    await upload(linesOf([record(), record()]), { token });
    const rows = await newRows();
    expect(rows.map(({ type, actor_id: actor, reason }) => [type, actor, reason])).toEqual([
      ["user.created", id, "imported"],
      ["user.created", id, "imported"],
    ]);
  });

  test.each<[string, string, number, string]>([
    ["is no JSON", "{", 400, "Line 3"],
    ["has an unknown member", '{"password":"x"}', 400, "Line 3"],
    ["has a member of another type", '{"username":7}', 400, "Line 3"],
    ["is longer than any message", `{"username":"${"x".repeat(70_000)}"}`, 413, "Line 3"],
  ])("ends at a line that %s, and names it", async (_what, line, status, named) => {
    const { status: answered, json } = await upload(`${linesOf([record()])}\n${line}\n`);
    expect([answered, json["detail"]]).toEqual([status, expect.stringContaining(named)]);
  });

  test("of blank lines without an end is given up, and the service lives on", async () => {
    const blank = new Uint8Array(65_536).fill(10);
    const body = new ReadableStream<Uint8Array>({ pull: (stream) => stream.enqueue(blank) });
    const answer = await upload(body).catch(() => null);
    expect(answer === null || answer.status === 408).toBe(true);
    expect((await api(service).rest.me(admin)).status).toBe(200);
  });

  test("is refused in another form", async () => {
    expect((await upload("{}", { type: "application/json" })).status).toBe(415);
    expect((await upload("{}", { type: "text/plain" })).status).toBe(415);
  });

  test("that is cut off in the middle loses nobody and doubles nobody when it is repeated", async () => {
    const records = Array.from({ length: 1_400 }, record);
    const before = await countUsers(sql);
    const gone = new AbortController();
    const body = new ReadableStream<Uint8Array>({
      start: (stream) => stream.enqueue(Buffer.from(linesOf(records.slice(0, 700)))),
    });
    const cut = upload(body, { signal: gone.signal }).catch(() => null);
    await eventually(async () => (await countUsers(sql)) - before === 500, 20_000);
    gone.abort();
    expect(await cut).toBeNull();
    const { json } = await upload(linesOf(records));
    expect(json).toMatchObject({ refused: 0 });
    expect((await countUsers(sql)) - before).toBe(1_400);
  });

  test("ends within two seconds when its caller loses the permission", async () => {
    const { id, token } = await signInWith(service, "user_admin");
    let more: ReadableStreamDefaultController<Uint8Array> | undefined;
    const body = new ReadableStream<Uint8Array>({
      start(stream) {
        more = stream;
        stream.enqueue(Buffer.from(linesOf([record()])));
      },
    });
    const answer = upload(body, { token });
    const feed = setInterval(() => more?.enqueue(Buffer.from(linesOf([record()]))), 100);
    try {
      await changeUser(sql, { id }, { roles: [] });
      const { status, json } = await answer;
      expect([status, json["reason"]]).toEqual([403, "permission_denied"]);
    } finally {
      clearInterval(feed);
    }
  });
});

test("an upload over HTTP/1.1 that takes longer than it may is cut off, and the service lives on", async () => {
  const hasty = await startService({ env: { HEADER_TIMEOUT: "200ms", BODY_TIMEOUT: "200ms" } });
  const { token } = await signInWith(hasty, "admin");
  const body = new ReadableStream<Uint8Array>({
    async pull(stream) {
      // sleep: the upload is slow, and never silent.
      await delay(50);
      stream.enqueue(Buffer.from("\n"));
    },
  });
  const headers = { ...bearerOf(token), "content-type": ndjson };
  const init: RequestInit = { method: "POST", headers, body, duplex: "half" };
  const answer = await send(`${hasty.url}/admin/users:import`, init).catch(() => null);
  expect(answer === null || answer.status === 408).toBe(true);
  expect((await api(hasty).rest.me(token)).status).toBe(200);
  await hasty.stop();
});
