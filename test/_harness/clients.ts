import { createHash, randomBytes } from "node:crypto";
import type { Client } from "pg";
import { basic } from "./rest.ts";
import { insertClient } from "./rows/clients.ts";

/** A registered client of a test, which can authenticate with this. */
export interface TestClient {
  readonly id: string;
  /** Empty for a public one. */
  readonly secret: string;
}

/** How a test's client differs from a confidential one that may do nothing. */
export interface TestClientOptions {
  /** A random one where left out. */
  readonly id?: string;
  readonly secret?: string;
  readonly public?: true;
  readonly firstParty?: true;
  readonly grants?: readonly ("password" | "refresh_token" | "client_credentials")[];
  readonly scopes?: readonly string[];
  /** As an earlier version has registered it. */
  readonly audience?: string;
  readonly audiences?: readonly string[];
  readonly canIntrospect?: true;
  readonly accessTokenTtlSeconds?: number;
  readonly refreshGraceMs?: number;
}

/** Registers a client past the command line, whose every command is a process. */
export async function addClient(sql: Client, options: TestClientOptions = {}): Promise<TestClient> {
  const id = options.id ?? `client-${randomBytes(6).toString("hex")}`;
  const secret = options.public ? "" : (options.secret ?? `csc_${randomBytes(32).toString("base64url")}`);
  await insertClient(sql, {
    id,
    secretHash: options.public ? null : createHash("sha256").update(secret).digest(),
    firstParty: options.firstParty ?? false,
    grants: options.grants ?? [],
    scopes: options.scopes ?? [],
    audience: options.audience ?? null,
    audiences: options.audiences ?? null,
    canIntrospect: options.canIntrospect ?? false,
    accessTokenTtlSeconds: options.accessTokenTtlSeconds ?? null,
    refreshGraceMs: options.refreshGraceMs ?? null,
  });
  return { id, secret };
}

/** HTTP Basic of a client, whose two parts are form-encoded (RFC 6749 section 2.3.1). */
export function basicOf({ id, secret }: TestClient): { readonly authorization: string } {
  return basic(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`);
}

/** The parameters of a client. */
export function postOf({ id, secret }: TestClient): Record<string, string> {
  return secret === "" ? { client_id: id } : { client_id: id, client_secret: secret };
}

/** An application with a secret that may do everything, and a public one that signs users in. */
export async function addApplications(
  sql: Client,
): Promise<{ readonly app: TestClient; readonly open: TestClient }> {
  const own = { firstParty: true, scopes: ["a", "b"] } as const;
  const app = await addClient(sql, {
    ...own,
    grants: ["password", "refresh_token", "client_credentials"],
    // Its parts must be form-encoded to come across in Basic.
    secret: "a secret: with % and +",
    canIntrospect: true,
  });
  const open = await addClient(sql, { ...own, grants: ["password", "refresh_token"], public: true });
  return { app, open };
}
