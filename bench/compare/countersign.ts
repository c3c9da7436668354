import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { Client } from "pg";
import { IntrospectRequestSchema } from "../../src/gen/countersign/v1/token_pb.ts";
import { userIds } from "../../src/domain/user/user.ts";
import { startBenchService } from "../service.ts";
import type { Contender, Endpoints } from "./contender.ts";
import type { Load } from "./load.ts";
import { type Amounts, prepareOAuthLoads } from "./oauth-loads.ts";
import { watchService } from "../processes.ts";
import type { BenchStores } from "./stores.ts";

const secretKey = "bench-secret-key-0123456789-abcdefghijklm";
const niceness = process.env["HASH_NICENESS"];
const limits = [
  "LOGIN_ADDRESS",
  "LOGIN_CLIENT",
  "LOGIN_DEVICE",
  "REFRESH_ADDRESS",
  "REFRESH_CLIENT",
  "TOKEN_ADDRESS",
  "TOKEN_CLIENT",
  "INTROSPECT_ADDRESS",
  "INTROSPECT_CLIENT",
  "REVOKE_ADDRESS",
  "REVOKE_CLIENT",
  "FAILURES_ADDRESS",
  "FAILURES_ACCOUNT_ADDRESS",
  "FAILURES_ACCOUNT",
];

/** The service, with what other instances of it are started with. */
export interface CountersignContender extends Contender {
  readonly databaseUrl: string;
  readonly settings: Readonly<Record<string, string>>;
}

/** Starts the service as in production, with its limits off and its log in a file, and prepares its loads. */
export async function startCountersign(
  stores: BenchStores,
  amounts: Amounts,
  folder: string,
  withRedis: boolean,
): Promise<CountersignContender> {
  const databaseUrl = await stores.createDatabase();
  const redisUrl = withRedis ? stores.nextRedisUrl() : null;
  const settingsOf = (port: number) => ({
    NODE_ENV: "production",
    ISSUER: `http://localhost:${port}`,
    DATABASE_URL: databaseUrl,
    SECRET_KEY: secretKey,
    BOOTSTRAP_PASSWORD: amounts.password,
    // As npm start has it, unless the caller says otherwise: on a busy machine idle hashes starve.
    ...(niceness === undefined ? {} : { HASH_NICENESS: niceness }),
    // A session is rotated at most four times within one grace; here some may be so within a second.
    REFRESH_GRACE: "100ms",
    MAX_SESSIONS_PER_USER: "10000",
    ...(redisUrl === null ? {} : { REDIS_URL: redisUrl }),
    ...Object.fromEntries(limits.map((name) => [`THROTTLE_${name}`, "off"])),
  });
  const service = await startBenchService(settingsOf);
  try {
    await insertUsers(databaseUrl, amounts.users);
    const secret = await createClient(service.env);
    const client = `client_id=bench&client_secret=${encodeURIComponent(secret)}`;
    const endpoints: Endpoints = {
      port: service.port,
      login: { path: "/auth/login", before: "" },
      refresh: { path: "/auth/refresh", before: "refresh_token=" },
      clientCredentials: { path: "/auth/token", body: `grant_type=client_credentials&${client}` },
      introspect: { path: "/auth/introspect", before: `${client}&token=` },
      me: { path: "/auth/me" },
    };
    const loads = await prepareOAuthLoads(endpoints, amounts, folder);
    const token = await readHotToken(loads.introspectHot);
    return {
      name: withRedis ? "Countersign, Redis" : "Countersign, PostgreSQL alone",
      kind: "ours",
      port: service.port,
      processes: watchService(service.pid),
      loads: {
        ...loads,
        ...(await rpcLoads(folder, token, secret)),
        ...(await adminLoads(service.port, amounts.password)),
      },
      databaseUrl,
      settings: settingsOf(service.port),
      stop: () => service.stop(),
    };
  } catch (error) {
    await service.stop();
    throw error;
  }
}

/** Users with the hash of the first one, since making one for each would take long. */
async function insertUsers(databaseUrl: string, count: number): Promise<void> {
  const client = new Client({ connectionString: databaseUrl.replace("?sslmode=disable", "") });
  await client.connect();
  try {
    const names = Array.from({ length: count }, (_, index) => `user-${index + 1}`);
    await client.query(
      `insert into users (id, username, username_folded, password_hash, password_pepper_id)
       select new.id, new.name, new.name, first.password_hash, first.password_pepper_id
       from unnest($1::text[], $2::text[]) as new (id, name), (select * from users limit 1) first`,
      [names.map(() => userIds.create()), names],
    );
  } finally {
    await client.end();
  }
}

async function createClient(env: Readonly<Record<string, string>>): Promise<string> {
  const main = join(import.meta.dirname, "..", "..", "src", "main.ts");
  const args = ["client", "create", "bench", "--grant", "client_credentials", "--introspect", "--json"];
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ["ignore", "pipe", "inherit"] });
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  const { client_secret: secret } = JSON.parse(Buffer.concat(chunks).toString()) as { client_secret: string };
  return secret;
}

async function readHotToken(load: Load | undefined): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  const file = load?.body?.kind === "fixed" ? load.body.file : "";
  return new URLSearchParams(await readFile(file, "utf8")).get("token") ?? "";
}

/** The same calls by the other protocols. */
async function rpcLoads(folder: string, token: string, secret: string): Promise<Contender["loads"]> {
  const message = { token, clientId: "bench", clientSecret: secret };
  const introspect = toBinary(IntrospectRequestSchema, create(IntrospectRequestSchema, message));
  const write = async (name: string, body: Uint8Array): Promise<Load["body"]> => {
    const file = join(folder, name);
    await writeFile(file, body);
    return { kind: "fixed", file };
  };
  const json = JSON.stringify({ token, client_id: "bench", client_secret: secret });
  const empty = await write("empty-frame", frame(new Uint8Array()));
  const framed = await write("introspect-frame", frame(introspect));
  const at = (method: string) => `/countersign.v1.TokenService/${method}`;
  const connect = { "content-type": "application/json", "connect-protocol-version": "1" };
  const active = /"active":true/;
  const keys = /"keys":\[\{/;
  // A frame whose message says that the token is active (field 1), and the status behind it.
  const activeFrame = /^\0.{4}\x08\x01.*grpc-status: ?0/s;
  const web = { "content-type": "application/grpc-web+proto", "x-grpc-web": "1" };
  const common = { protocol: "http1", method: "POST" } as const;
  return {
    jwksRest: {
      protocol: "http1",
      method: "GET",
      path: "/.well-known/jwks.json",
      headers: {},
      body: null,
      expects: keys,
    },
    jwksConnect: {
      ...common,
      path: at("GetJwks"),
      headers: connect,
      body: await write("empty-json", Buffer.from("{}")),
      expects: keys,
    },
    jwksGrpcWeb: {
      ...common,
      path: at("GetJwks"),
      headers: web,
      body: empty,
      expects: /^\0.{50,}grpc-status: ?0/s,
    },
    introspectConnect: {
      ...common,
      path: at("Introspect"),
      headers: connect,
      body: await write("introspect-json", Buffer.from(json)),
      expects: active,
    },
    introspectGrpcWeb: {
      ...common,
      path: at("Introspect"),
      headers: web,
      body: framed,
      expects: activeFrame,
    },
    introspectGrpc: {
      protocol: "h2c",
      method: "POST",
      path: at("Introspect"),
      headers: { "content-type": "application/grpc", te: "trailers" },
      body: framed,
      expects: activeFrame,
    },
    livez: { protocol: "http1", method: "GET", path: "/livez", headers: {}, body: null, expects: /./ },
  };
}

/** What an administrator looks at. The first user is one. */
async function adminLoads(port: number, password: string): Promise<Contender["loads"]> {
  const body = new URLSearchParams({ username: "admin", password });
  const answer = await fetch(`http://127.0.0.1:${port}/auth/login`, { method: "POST", body });
  const { access_token: token } = (await answer.json()) as { readonly access_token: string };
  const users = (query: string): Load => ({
    protocol: "http1",
    method: "GET",
    path: `/admin/users?page_size=50${query}`,
    headers: { authorization: `Bearer ${token}` },
    body: null,
    expects: /"users":\[\{/,
  });
  return {
    listUsers: users(""),
    searchUsers: users(`&filter=${encodeURIComponent('username = "user-4*"')}`),
  };
}

/** gRPC's frame of one message: a flag and the length before it. */
function frame(message: Uint8Array): Uint8Array {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([head, message]);
}
