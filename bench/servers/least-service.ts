// The least service that does the same job on the same parts: a login checks an Argon2id hash and keeps a session,
// a refresh replaces a token once, an introspection checks a signature. No limits, no audit, no log, no protocol
// but JSON over HTTP/1.1. Usage: node least-service.ts DATABASE_URL REDIS_URL USERS PASSWORD; prints where it listens.
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign, verify } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { hash, verify as verifyPassword } from "@node-rs/argon2";
import { Redis } from "ioredis";
import { Pool } from "pg";

const [databaseUrl = "", redisUrl = "", userCount = "1", password = ""] = process.argv.slice(2);
const pool = new Pool({ connectionString: databaseUrl.replace("?sslmode=disable", ""), max: 4 });
const redis = new Redis(redisUrl);
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const header = encode({ alg: "ES256", typ: "at+jwt", kid: "1" });
const clientSecret = sha256("secret");

await pool.query("create table users (id text primary key, name text unique not null, hash text not null)");
await pool.query(
  "create table sessions (id text primary key, user_id text not null, created_at timestamptz not null)",
);
const passwordHash = await hash(password, { memoryCost: 19_456, timeCost: 2, parallelism: 1 });
await pool.query("insert into users select 'u' || n, 'user-' || n, $1 from generate_series(1, $2) n", [
  passwordHash,
  Number(userCount),
]);

const routes: Readonly<
  Record<string, (form: URLSearchParams, request: IncomingMessage) => Promise<object | null>>
> = {
  "/login": async (form) => {
    const { rows } = await pool.query<{ id: string; hash: string }>({
      name: "find",
      text: "select id, hash from users where name = $1",
      values: [form.get("username")],
    });
    const user = rows[0];
    if (user === undefined || !(await verifyPassword(user.hash, form.get("password") ?? ""))) return null;
    const session = randomBytes(12).toString("base64url");
    await pool.query({
      name: "begin",
      text: "insert into sessions values ($1, $2, now())",
      values: [session, user.id],
    });
    return issue(user.id, session);
  },
  "/refresh": async (form) => {
    const kept = await redis.getdel(sha256(form.get("refresh_token") ?? "").toString("base64url"));
    if (kept === null) return null;
    const [user = "", session = ""] = kept.split(" ");
    return issue(user, session);
  },
  "/token": async (form) =>
    sha256(form.get("client_secret") ?? "").equals(clientSecret)
      ? { access_token: makeToken("client") }
      : null,
  "/introspect": async (form) => {
    if (!sha256(form.get("client_secret") ?? "").equals(clientSecret)) return null;
    const claims = readToken(form.get("token") ?? "");
    return claims === null ? { active: false } : { active: true, ...claims };
  },
  "/me": async (_form, request) => readToken(request.headers.authorization?.slice("Bearer ".length) ?? ""),
};

async function issue(user: string, session: string): Promise<object> {
  const refreshToken = randomBytes(32).toString("base64url");
  await redis.set(sha256(refreshToken).toString("base64url"), `${user} ${session}`, "EX", 2_592_000);
  return {
    access_token: makeToken(user, session),
    refresh_token: refreshToken,
    token_type: "bearer",
    expires_in: 900,
  };
}

function makeToken(subject: string, session?: string): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: "least", aud: "least", sub: subject, sid: session, iat: now, exp: now + 900 };
  const text = `${header}.${encode({ ...claims, jti: randomBytes(12).toString("base64url") })}`;
  return `${text}.${signature(text, privateKey)}`;
}

function readToken(token: string): Record<string, unknown> | null {
  const [head = "", payload = "", mac = ""] = token.split(".");
  const key = { key: publicKey, dsaEncoding: "ieee-p1363" } as const;
  if (!verify("sha256", Buffer.from(`${head}.${payload}`), key, Buffer.from(mac, "base64url"))) return null;
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as Record<string, unknown>;
  return Number(claims["exp"]) > Date.now() / 1000 ? claims : null;
}

function signature(text: string, key: KeyObject): string {
  return sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }).toString("base64url");
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

async function answer(request: IncomingMessage, response: ServerResponse, text: string): Promise<void> {
  const result = await routes[request.url ?? ""]?.(new URLSearchParams(text), request);
  const body = Buffer.from(JSON.stringify(result ?? { error: "refused" }));
  response.writeHead(result ? 200 : 401, {
    "content-type": "application/json",
    "content-length": body.byteLength,
    "cache-control": "no-store",
  });
  response.end(body);
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.once("end", () => {
    answer(request, response, Buffer.concat(chunks).toString()).catch(() => response.writeHead(500).end());
  });
});
server.listen(0, "127.0.0.1", () => {
  const endpoints = {
    port: (server.address() as AddressInfo).port,
    login: { path: "/login", before: "" },
    refresh: { path: "/refresh", before: "refresh_token=" },
    clientCredentials: {
      path: "/token",
      body: "grant_type=client_credentials&client_id=api&client_secret=secret",
    },
    introspect: { path: "/introspect", before: "client_id=api&client_secret=secret&token=" },
    me: { path: "/me" },
  };
  process.stdout.write(`${JSON.stringify(endpoints)}\n`);
});
