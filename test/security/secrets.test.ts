import { createHash } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { findRunningPostgres } from "../../src/postgres/embedded/find-running-postgres.ts";
import { createPool, type Database } from "../../src/postgres/pool.ts";
import { createCallers, type Call } from "../_harness/callers.ts";
import { bearerOf } from "../_harness/rest.ts";
import { runCommand } from "../_harness/service.ts";
import { eventually } from "../_harness/eventually.ts";
import { generousThrottles } from "../_harness/throttles.ts";
import { endLeftProcesses, startProcess, type StartedProcess } from "../start/start-process.ts";
import { findSecrets, type Place, type Secret, secret } from "./find-secrets.ts";

// its own SQL: it reads every table whole, and hides one.

const typed = {
  adminPassword: 'admins own "pass" wörd',
  userPassword: "annas own pass word",
  nextPassword: "annas next pass word",
  wrongPassword: "some wrong pass word",
  asUsername: "typed into the wrong field",
  clientSecret: "a secret of a client, typed",
  deviceToken: "a token of a device, typed",
  // White space and signs, so that it cannot be a request id, which callers may choose.
  bearer: "eyJhbGciOiJub25lIn0.eyJzdWIiOiJub2JvZHkifQ.c2lnbmVkIGJ5IG5vYm9keQ",
};
const secretKey = "S3cretKey/of+the=service-0123456789";
const pepper = "P3pper/of+the=service-0123456789-abc";

let folder: string;
let service: StartedProcess;
let db: Database;
/** Everything that was shown to somebody who must not see a secret. */
const shown: Place[] = [];
const tokens: Secret[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-secrets-"));
  // Else the database of root would lie elsewhere, and its files would not be looked at.
  await chmod(folder, 0o711);
  service = await startProcess({
    env: {
      // Wrong passwords come by every way in.
      ...generousThrottles,
      DATA_DIR: join(folder, "data"),
      SECRET_KEY: secretKey,
      PASSWORD_PEPPER: pepper,
      BOOTSTRAP_PASSWORD: typed.adminPassword,
      LOG_LEVEL: "debug",
      ARGON2_MEMORY_KIB: "64",
      ARGON2_ITERATIONS: "1",
    },
  });
  await service.ready();
  const target = await findRunningPostgres(join(folder, "data"));
  if (target === null) throw new Error("The embedded PostgreSQL is not running.");
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  db = createPool({ target, max: 1, statementTimeoutMs: 5_000, connectTimeoutMs: 5_000, log });
}, 60_000);

afterAll(async () => {
  await db.end();
  await endLeftProcesses();
  await rm(folder, { recursive: true, force: true });
});

function show(name: string, content: string): void {
  shown.push({ name, content: Buffer.from(content) });
}

/** A refresh token, and the handle in it that both stores are keyed by the hash of. */
function addTokens(access: string, refresh: string): void {
  const bytes = Buffer.from(refresh.slice("csr_".length), "base64url");
  tokens.push(
    secret("an access token", access),
    secret("an access token's signature", access.split(".")[2] ?? ""),
    secret("a refresh token", refresh),
    secret("a refresh token's bytes", bytes),
    secret("a refresh token's handle", bytes.subarray(5, 21)),
    secret("a refresh token's tag", bytes.subarray(29)),
  );
}

async function useCommandLine(): Promise<void> {
  const run = async (args: string[], input: string): Promise<void> => {
    const { stdout, stderr } = await runCommand(args, service.env, input);
    show(`the output of ${args.join(" ")}`, stdout + stderr);
  };
  await run(["user", "create", "anna", "--json"], `${typed.userPassword}\n`);
  await run(["user", "create", "anna"], `${typed.userPassword}\n`);
  await run(["user", "create", typed.asUsername, "--role", "two words"], typed.userPassword);
  await run(["user", "set-password", "anna"], typed.nextPassword);
  await run(["user", "set-password", "nobody"], typed.wrongPassword);
  await run(["user", "list", "--json"], "");
  await run(["doctor", "--json"], "");
}

/** Logins good and bad, and calls with tokens good and bad, by every way in. */
async function useEveryWayIn(): Promise<void> {
  const admin = { username: "admin", password: typed.adminPassword };
  for (const caller of createCallers(service.url)) {
    const bad = async (call: Call): Promise<void> => {
      const outcome = await caller.call(call).catch((error: unknown) => String(error));
      show(`an answer of ${caller.name}`, JSON.stringify(outcome));
    };
    try {
      const login = await caller.call({ rpc: "Login", input: admin });
      const accessToken = JSON.stringify(login.message?.["access_token"]).slice(1, -1);
      const refreshToken = JSON.stringify(login.message?.["refresh_token"]).slice(1, -1);
      addTokens(accessToken, refreshToken);
      const authorization = `Bearer ${accessToken}`;
      await bad({ rpc: "GetCurrentUser", headers: { authorization } });
      await bad({ rpc: "GetCurrentUser", headers: bearerOf(typed.bearer) });
      await bad({ rpc: "GetCurrentUser", headers: bearerOf(refreshToken) });
      await bad({ rpc: "Login", input: { ...admin, password: typed.wrongPassword } });
      await bad({ rpc: "Login", input: { username: typed.asUsername, password: typed.wrongPassword } });
      await bad({ rpc: "Login", input: { ...admin, client_id: "x", client_secret: typed.clientSecret } });
      await bad({ rpc: "Login", input: { ...admin, scope: typed.asUsername } });
      await bad({
        rpc: "Login",
        input: { username: "admin", password: typed.wrongPassword, device_token: typed.deviceToken },
      });
      await bad({
        rpc: "Login",
        input: { username: `${typed.asUsername}\u0000`, password: typed.wrongPassword },
      });
    } finally {
      caller.close();
    }
  }
}

/** Requests that cannot be read, each with secrets in the part that is at fault. */
async function sendBrokenRequests(): Promise<void> {
  const { url } = service;
  const form = "application/x-www-form-urlencoded";
  const fields = (extra: string) =>
    `username=admin&password=${encodeURIComponent(typed.wrongPassword)}${extra}`;
  const post = (path: string, type: string, body: string | Buffer, headers: Record<string, string> = {}) =>
    fetch(url + path, {
      method: "POST",
      headers: { "content-type": type, ...headers },
      body: body as string,
    });
  const { wrongPassword, asUsername, clientSecret, bearer } = typed;
  const quoted = JSON.stringify(wrongPassword);
  const basic = `Basic ${Buffer.from(`client:${clientSecret}`).toString("base64")}`;
  const rpc = "/countersign.v1.AuthService/Login";
  const answers = [
    post("/auth/login", "application/json", `{"username": "admin", "password": ${quoted}`),
    post(
      "/auth/login",
      "application/json",
      `{"password": ${quoted}, "password": ${quoted}, "username": "admin"}`,
    ),
    post("/auth/login", "application/json", `{"password": {"text": ${quoted}}, "username": "admin"}`),
    post("/auth/login", "application/json", `{${quoted}: 1}`),
    post("/auth/login", form, fields(`&password=${encodeURIComponent(wrongPassword)}`)),
    post(
      "/auth/login",
      form,
      `username=admin&password=${"x".repeat(2_000)}${encodeURIComponent(wrongPassword)}`,
    ),
    post("/auth/login", form, fields(`&client_secret=${encodeURIComponent(clientSecret)}`), {
      authorization: basic,
    }),
    post("/auth/login", form, fields(""), { authorization: `${bearer} ${bearer}` }),
    post("/auth/login", form, fields(""), { authorization: basic, cookie: `device_token=${bearer}` }),
    post("/auth/login", form, fields("&grant_type=") + encodeURIComponent(asUsername)),
    post("/auth/login", "text/plain", wrongPassword),
    post(`/auth/login?${fields("")}`, form, ""),
    post(`/auth/login/${encodeURIComponent(wrongPassword)}`, form, fields("")),
    post("/auth/login", form, Buffer.concat([Buffer.from(fields("&scope=")), Buffer.of(0xff)])),
    post(rpc, "application/json", `{"password": ${quoted}`),
    post(rpc, "application/proto", Buffer.from(`\u001a\u00ff${wrongPassword}`)),
    post(rpc, "application/grpc-web+proto", Buffer.from(`\u0000\u0000\u0000\u0000\u0005${wrongPassword}`)),
    fetch(`${url}${rpc}?encoding=json&message=${encodeURIComponent(`{"password":${quoted}}`)}`),
    fetch(`${url}/auth/me?access_token=${bearer}`),
    fetch(`${url}/auth/me`, { headers: { authorization: `Bearer ${bearer}, Bearer ${bearer}` } }),
    fetch(`${url}/auth/me`, {
      headers: { "x-request-id": wrongPassword, "user-agent": wrongPassword, referer: bearer },
    }),
  ];
  for (const answer of await Promise.all(answers)) {
    const text = JSON.stringify([...answer.headers]) + (await answer.text());
    // gRPC-Web tells of a failure in the trailers of a 200.
    expect(answer.status >= 400 || /grpc-status: ?[1-9]/.test(text)).toBe(true);
    show(`the answer to a broken request (${answer.status})`, text);
  }
}

/** A failure of ours, whose cause is logged: the statement that ends in it holds what was typed. */
async function failInside(): Promise<void> {
  await db.query({ name: "hide", text: "alter table sessions rename to hidden" });
  const body = new URLSearchParams({ username: "admin", password: typed.adminPassword });
  const answer = await fetch(`${service.url}/auth/login`, { method: "POST", body });
  show("the answer to a failure of ours", await answer.text());
  expect(answer.status).toBe(500);
  await eventually(() => service.logs().some(({ reason }) => reason === "internal"));
  await db.query({ name: "show", text: "alter table hidden rename to sessions" });
}

/** Every row of every table as text, bytes in hexadecimal and in base64. */
async function dumpDatabase(): Promise<Place[]> {
  const tables = await db.query<{ name: string }>({
    name: "tables",
    text: `select quote_ident(table_schema) || '.' || quote_ident(table_name) as name from information_schema.tables
      where table_schema not in ('pg_catalog', 'information_schema')`,
  });
  const places: Place[] = [];
  for (const { name } of tables) {
    const rows = await db.query<Record<string, unknown>>({
      name: `dump ${name}`,
      text: `select * from ${name}`,
    });
    const lines = rows.map((row) =>
      JSON.stringify(Object.entries(row).map(([column, value]) => [column, asText(value)])),
    );
    places.push({ name: `the table ${name}`, content: Buffer.from(lines.join("\n")) });
  }
  return places;
}

function asText(value: unknown): unknown {
  if (!Buffer.isBuffer(value)) return value;
  return [value.toString("hex"), value.toString("base64"), value.toString("latin1")];
}

/** What lies in DATA_DIR, but for the files that are there to keep a secret, and PostgreSQL's own. */
async function readDataDir(): Promise<Place[]> {
  const kept = /^(secret-key|bootstrap-password|postgres\/password)$|^postgres\/(data|programs-[^/]*)(\/|$)/;
  const dataDir = join(folder, "data");
  const paths = (await readdir(dataDir, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dataDir.length + 1));
  return Promise.all(
    paths
      .filter((path) => !kept.test(path))
      .map(async (path) => ({ name: `the file ${path}`, content: await readFile(join(dataDir, path)) })),
  );
}

describe("a service that has seen secrets in every field, by every way in", () => {
  const secrets: Secret[] = [
    ...Object.entries(typed).map(([name, value]) => secret(name, value)),
    secret("SECRET_KEY", secretKey),
    secret("PASSWORD_PEPPER", pepper),
    // What an Argon2 hash is not: a hash that can be guessed at cheaply.
    ...Object.entries(typed).map(([name, value]) =>
      secret(`SHA-256 of ${name}`, createHash("sha256").update(value).digest()),
    ),
    // The head of every P-256 private key in PKCS #8 (RFC 5208, RFC 5915).
    secret("a private key", Buffer.from("301306072a8648ce3d020106082a8648ce3d030107", "hex")),
  ];
  let logs: Place;

  beforeAll(async () => {
    await useCommandLine();
    await useEveryWayIn();
    await sendBrokenRequests();
    await failInside();
    logs = { name: "the log", content: Buffer.from(service.output()) };
  }, 120_000);

  test("has logged what it did, and the failure with its cause, without any of them", () => {
    expect(service.logs().length).toBeGreaterThan(100);
    const failures = service.logs().filter(({ msg }) => msg === "request failed");
    expect(failures.map(({ err }) => JSON.stringify(err))).toEqual([
      expect.stringContaining('"code":"42P01"'),
    ]);
    expect(tokens.length).toBeGreaterThan(50);
    expect(findSecrets([...secrets, ...tokens], [logs])).toEqual([]);
  });

  test("has answered nothing of them", () => {
    expect(shown.length).toBeGreaterThan(100);
    expect(findSecrets([...secrets, ...tokens], shown)).toEqual([]);
  });

  test("has stored nothing of them but Argon2 hashes and sealed keys", async () => {
    const dump = await dumpDatabase();
    const filled = dump.filter(({ content }) => content.byteLength > 0).map(({ name }) => name);
    expect(filled).toEqual(
      expect.arrayContaining([
        "the table public.users",
        "the table public.sessions",
        "the table public.signing_keys",
      ]),
    );
    expect(findSecrets([...secrets, ...tokens], dump)).toEqual([]);
    const hashes = await db.query<{ phc: string }>({
      name: "hashes",
      text: "select password_hash as phc from users",
    });
    for (const { phc } of hashes) {
      expect(phc).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/);
    }
  });

  test("has left none of them in DATA_DIR", async () => {
    const files = await readDataDir();
    expect(files.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["the file lock", "the file postgres.log"]),
    );
    expect(findSecrets([...secrets, ...tokens], files)).toEqual([]);
  });

  test.each<[string, (value: Buffer) => string | Buffer]>([
    ["as it is", (value) => value],
    ["in JSON", (value) => JSON.stringify(value.toString())],
    ["in hexadecimal", (value) => value.toString("hex")],
    ["in base64", (value) => value.toString("base64")],
    ["in base64url", (value) => value.toString("base64url")],
    ["percent-encoded", (value) => encodeURIComponent(value.toString())],
    ["as a form", (value) => new URLSearchParams({ x: value.toString() }).toString()],
  ])("would be found out: one that is planted %s in a line of the log is found", (_form, encode) => {
    for (const one of secrets.slice(0, Object.keys(typed).length + 2)) {
      const line = Buffer.concat([
        Buffer.from('\n{"msg":"'),
        Buffer.from(encode(one.value) as string),
        Buffer.from('"}'),
      ]);
      const planted = { name: "the copy", content: Buffer.concat([logs.content, line]) };
      expect(findSecrets([one], [planted]).join()).toContain(`${one.name} (`);
    }
  });
});
