import { createHmac, hkdfSync } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { requireTokens, sessionIdOf, type Tokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { addClient, basicOf, type TestClient } from "../_harness/clients.ts";
import { eventually, retry } from "../_harness/eventually.ts";
import * as given from "../_harness/given.ts";
import { send, sendForm } from "../_harness/rest.ts";
import { ageCounts, countUnsettled, readWholeTrail } from "../_harness/rows/audit.ts";
import { readSigningKeys } from "../_harness/rows/signing-keys.ts";
import { openTrail, rowOf, type TrailRow } from "../_harness/rows/trail.ts";
import { changeUser, readUser } from "../_harness/rows/users.ts";
import { startService, type TestService, testSecretKey } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

type Owner = given.TestUser & { readonly id: string };

const sessionsMax = 4;
const request = { request_id: "audit-test", client_address: "127.0.0.1", user_agent: "trail-test/1" };
const headers = { "x-request-id": request.request_id, "user-agent": request.user_agent };

let service: TestService;
let sql: Client;
let newRows: () => Promise<TrailRow[]>;
let user: Owner;
beforeAll(async () => {
  service = await startService({ env: { MAX_SESSIONS_PER_USER: String(sessionsMax) } });
  sql = await openSql(service.databaseUrl);
  newRows = openTrail(sql);
}, 120_000);
afterAll(async () => {
  await sql.end();
  await service.stop();
});
beforeEach(async () => {
  user = await given.user(sql);
});

function post(path: string, form: Record<string, string>, more: Record<string, string> = {}) {
  return sendForm(service.url + path, form, { ...headers, ...more });
}

function bearerOf({ access_token }: Tokens): { readonly authorization: string } {
  return { authorization: `Bearer ${access_token}` };
}

/** Signs in, and forgets what the trail says of it. */
async function signedIn(owner: given.TestUser = user): Promise<Tokens> {
  const tokens = await given.session(service, { user: owner });
  await newRows();
  return tokens;
}

function hmacOf(name: string): string {
  const key = Buffer.from(hkdfSync("sha256", testSecretKey, "countersign", "countersign/v1/audit-name", 32));
  return createHmac("sha256", key).update(name).digest("hex").slice(0, 32);
}

const builtin = "countersign";
const byUser = (id: string) => ({ actor_kind: "user", actor_id: id, user_id: id });
const byService = { actor_kind: "service" } as const;
const byOperator = { actor_kind: "operator" } as const;
const byAnyone = { actor_kind: "anonymous" } as const;

async function command(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await service.command(args, "another long password");
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

describe("the first start", () => {
  test("leaves a row for the first key and one for the first user", async () => {
    const [key] = await readSigningKeys(sql);
    const { id } = await readUser(sql, service.admin.username);
    expect(await newRows()).toEqual([
      rowOf({ type: "key.created", ...byService, key_id: key?.kid }),
      rowOf({ type: "user.created", ...byService, user_id: id }),
    ]);
  });
});

describe("a login", () => {
  test("leaves one row, over REST", async () => {
    const answer = await post("/auth/login", { ...user });
    const session = sessionIdOf(answer.json as unknown as Tokens);
    expect(await newRows()).toEqual([
      rowOf({
        type: "login.succeeded",
        ...byUser(user.id),
        session_id: session,
        client_id: builtin,
        ...request,
      }),
    ]);
  });

  test("leaves one row, over gRPC", async () => {
    const calls = api(service);
    const session = sessionIdOf(requireTokens(await calls.grpc.login(user)));
    calls.close();
    const about = { session_id: session, client_id: builtin, client_address: "127.0.0.1" };
    expect(await newRows()).toEqual([
      rowOf({
        type: "login.succeeded",
        ...byUser(user.id),
        ...about,
        request_id: expect.any(String),
        user_agent: expect.stringContaining("connect"),
      }),
    ]);
  });

  test("with a wrong password leaves one row about the user", async () => {
    await post("/auth/login", { username: user.username, password: "not the password" });
    const about = { user_id: user.id, client_id: builtin, reason: "wrong_password" };
    expect(await newRows()).toEqual([rowOf({ type: "login.failed", ...byAnyone, ...about, ...request })]);
  });

  test("with an unknown name leaves one row with an HMAC of the folded name", async () => {
    await post("/auth/login", { username: "Nobody-Here", password: "not a password" });
    const about = { name_hmac: hmacOf("nobody-here"), client_id: builtin, reason: "unknown_name" };
    expect(await newRows()).toEqual([rowOf({ type: "login.failed", ...byAnyone, ...about, ...request })]);
  });

  test.each(["pending", "suspended", "deactivated"])("to a %s account leaves one row", async (status) => {
    await changeUser(sql, { id: user.id }, { status });
    await post("/auth/login", { ...user });
    const about = { client_id: builtin, reason: `account_${status}` };
    expect(await newRows()).toEqual([
      rowOf({ type: "login.failed", ...byUser(user.id), ...about, ...request }),
    ]);
  });

  test("too many leaves a second row, about the session that ended", async () => {
    const first = sessionIdOf(await signedIn());
    for (let count = 1; count < sessionsMax; count += 1) await signedIn();
    const answer = await post("/auth/login", { ...user });
    const session = sessionIdOf(answer.json as unknown as Tokens);
    const about = { client_id: builtin, ...request };
    expect(await newRows()).toEqual([
      rowOf({ type: "login.succeeded", ...byUser(user.id), session_id: session, ...about }),
      rowOf({
        type: "session.ended",
        ...byService,
        user_id: user.id,
        session_id: first,
        reason: "session_limit",
        ...about,
      }),
    ]);
  });
});

describe("the end of a session", () => {
  test("by its refresh token leaves one row, and none when it has ended already", async () => {
    const tokens = await signedIn();
    for (const _time of ["once", "again"]) {
      await post("/auth/logout", { refresh_token: tokens.refresh_token });
    }
    const about = { session_id: sessionIdOf(tokens), client_id: builtin, reason: "logout" };
    expect(await newRows()).toEqual([
      rowOf({ type: "session.ended", ...byUser(user.id), ...about, ...request }),
    ]);
  });

  test("by its access token leaves one row", async () => {
    const tokens = await signedIn();
    await post("/auth/logout", {}, bearerOf(tokens));
    const about = { session_id: sessionIdOf(tokens), client_id: builtin, reason: "logout" };
    expect(await newRows()).toEqual([
      rowOf({ type: "session.ended", ...byUser(user.id), ...about, ...request }),
    ]);
  });

  test("from the list of sessions leaves one row, and none for one that is not the caller's", async () => {
    const [tokens, other] = [await signedIn(), await signedIn(service.admin)];
    for (const target of [tokens, other]) {
      await send(`${service.url}/auth/sessions/${sessionIdOf(target)}`, {
        method: "DELETE",
        headers: { ...headers, ...bearerOf(tokens) },
      });
    }
    const about = { session_id: sessionIdOf(tokens), client_id: builtin, reason: "revoked" };
    expect(await newRows()).toEqual([
      rowOf({ type: "session.ended", ...byUser(user.id), ...about, ...request }),
    ]);
  });

  test("of all sessions leaves one row", async () => {
    const tokens = await signedIn();
    await send(`${service.url}/auth/sessions`, {
      method: "DELETE",
      headers: { ...headers, ...bearerOf(tokens) },
    });
    expect(await newRows()).toEqual([
      rowOf({ type: "sessions.ended", ...byUser(user.id), reason: "revoked", ...request }),
    ]);
  });
});

describe("a revoked token", () => {
  let client: TestClient;
  beforeEach(async () => {
    client = await addClient(sql, { firstParty: true, grants: ["password", "client_credentials"] });
  });
  const byClient = () => ({ actor_kind: "client", actor_id: client.id, client_id: client.id });

  test.each(["refresh_token", "access_token"] as const)("leaves one row: %s", async (kind) => {
    const answer = await post("/auth/login", { ...user }, basicOf(client));
    const tokens = answer.json as unknown as Tokens;
    await newRows();
    for (const _time of ["once", "again"]) {
      await post("/auth/revoke", { token: tokens[kind] }, basicOf(client));
    }
    const about = { user_id: user.id, session_id: sessionIdOf(tokens) };
    expect(await newRows()).toEqual([rowOf({ type: "token.revoked", ...byClient(), ...about, ...request })]);
  });

  test("of a client's own leaves one row", async () => {
    const answer = await post("/auth/token", { grant_type: "client_credentials" }, basicOf(client));
    const { access_token: token } = answer.json as unknown as Tokens;
    for (const _time of ["once", "again"]) {
      await post("/auth/revoke", { token }, basicOf(client));
    }
    expect(await newRows()).toEqual([rowOf({ type: "token.revoked", ...byClient(), ...request })]);
  });
});

describe("a change of password", () => {
  test("leaves one row, and one for the session that begins", async () => {
    const tokens = await signedIn();
    const change = { current_password: user.password, new_password: "a new long password" };
    const answer = await post("/auth/change-password", change, bearerOf(tokens));
    const next = sessionIdOf(answer.json as unknown as Tokens);
    const about = { ...byUser(user.id), client_id: builtin, ...request };
    expect(await newRows()).toEqual([
      rowOf({ type: "password.changed", ...about, session_id: sessionIdOf(tokens) }),
      rowOf({ type: "login.succeeded", ...about, session_id: next, reason: "password_changed" }),
    ]);
  });

  test("with a wrong current password leaves one row", async () => {
    const tokens = await signedIn();
    const change = { current_password: "not the password", new_password: "a new long password" };
    await post("/auth/change-password", change, bearerOf(tokens));
    const about = { ...byUser(user.id), client_id: builtin, session_id: sessionIdOf(tokens), ...request };
    expect(await newRows()).toEqual([
      rowOf({ type: "password.change_failed", ...about, reason: "wrong_password" }),
    ]);
  });
});

describe("a command", () => {
  test("about a user leaves one row", async () => {
    const { id } = JSON.parse(await command("user", "create", "walter", "--json")) as { id: string };
    await command("user", "set-password", "walter");
    await command("user", "suspend", "walter");
    await command("session", "revoke", "walter", "--all");
    expect(await newRows()).toEqual([
      rowOf({ type: "user.created", ...byOperator, user_id: id }),
      rowOf({ type: "password.changed", ...byOperator, user_id: id }),
      rowOf({ type: "user.status_changed", ...byOperator, user_id: id, reason: "suspended" }),
      rowOf({ type: "sessions.ended", ...byOperator, user_id: id, reason: "revoked" }),
    ]);
  }, 60_000);

  test("about one session leaves one row", async () => {
    const session = sessionIdOf(await signedIn());
    await command("session", "revoke", user.username, "--session", session);
    const about = { user_id: user.id, session_id: session, client_id: builtin, reason: "revoked" };
    expect(await newRows()).toEqual([rowOf({ type: "session.ended", ...byOperator, ...about })]);
  }, 60_000);

  test("about a client leaves one row", async () => {
    await command("client", "create", "billing", "--grant", "client_credentials");
    await command("client", "rotate-secret", "billing");
    await command("client", "delete", "billing");
    expect(await newRows()).toEqual([
      rowOf({ type: "client.created", ...byOperator, client_id: "billing" }),
      rowOf({ type: "client.secret_rotated", ...byOperator, client_id: "billing" }),
      rowOf({ type: "client.deleted", ...byOperator, client_id: "billing" }),
    ]);
  }, 60_000);

  test("about a signing key leaves one row for each key", async () => {
    await command("key", "rotate");
    const [first = "", second = ""] = (await readSigningKeys(sql)).map(({ kid }) => kid);
    await command("key", "drop", first);
    expect(await newRows()).toEqual([
      rowOf({ type: "key.rotated", ...byOperator, key_id: second }),
      rowOf({ type: "key.dropped", ...byOperator, key_id: first }),
    ]);
  }, 60_000);

  test("that fails leaves none", async () => {
    for (const args of [
      ["user", "create", user.username],
      ["user", "suspend", "nobody-here"],
      ["client", "delete", "nobody-here"],
      ["key", "drop", "nobody-here"],
    ]) {
      expect((await service.command(args, "another long password")).code).toBe(1);
    }
    expect(await newRows()).toEqual([]);
  }, 60_000);
});

describe("the metrics", () => {
  test("count what is written, by type, with the types that have not come yet", async () => {
    const { text } = await send(`${service.opsUrl}/metrics`);
    expect(text).toMatch(/^countersign_audit_events_total\{type="login\.succeeded"\} [1-9]/m);
    expect(text).toMatch(/^countersign_audit_events_total\{type="store\.recovered"\} 0$/m);
    expect(text).toMatch(/^countersign_audit_failures_total\{type="login\.succeeded"\} 0$/m);
  });
});

describe("what is no security event", () => {
  test("leaves no row: a refresh, a look, a mistake in a request", async () => {
    const tokens = await signedIn();
    requireTokens(await api(service).rest.refresh(tokens.refresh_token));
    await send(`${service.url}/auth/me`, { headers: bearerOf(tokens) });
    await send(`${service.url}/auth/sessions`, { headers: bearerOf(tokens) });
    await post("/auth/login", { username: user.username });
    await post("/auth/login", { ...user, scope: "no-such-scope" });
    await post("/auth/refresh", { refresh_token: "csr_not_a_token" });
    expect(await newRows()).toEqual([]);
  });
});

describe("events that cost an attacker nothing", () => {
  /** Lets the minute be over, and waits for the rows. */
  async function settled(): Promise<TrailRow[]> {
    await retry(10_000, async () => ((await countUnsettled(sql)) === 8 ? true : null));
    await ageCounts(sql);
    return retry(60_000, async () => {
      const rows = await newRows();
      return rows.length > 0 ? rows : null;
    });
  }

  test("are one counted row for each key and minute, and say nothing that was typed", async () => {
    // A minute that is about to end would make two rows of them.
    await eventually(() => new Date().getSeconds() <= 50, 15_000, 250);
    await newRows();
    const client = await addClient(sql, { grants: ["client_credentials"] });
    const wrong = { grant_type: "client_credentials", client_id: client.id, client_secret: "csc_wrong" };
    for (let count = 0; count < 5; count += 1) await post("/auth/token", wrong);
    for (let count = 0; count < 2; count += 1) {
      await post("/auth/login", { ...user, client_id: `typed-${count}`, client_secret: "typed-secret" });
    }
    await post("/auth/login", { ...user }, basicOf(client));
    const failed = { type: "client.authentication_failed", ...byAnyone, ...request };
    const rows = await settled();
    expect(rows.toSorted((one, other) => Number(other.count) - Number(one.count))).toEqual([
      rowOf({ ...failed, client_id: client.id, count: 5 }),
      rowOf({ ...failed, count: 2 }),
      rowOf({
        type: "login.failed",
        ...byAnyone,
        client_id: client.id,
        reason: "unauthorized_client",
        ...request,
      }),
    ]);
  }, 120_000);
});

describe("the whole trail", () => {
  test("holds no secret, and nothing that was typed for a name", async () => {
    const typed = "My-Password-In-The-Wrong-Field";
    const client = await addClient(sql, { firstParty: true, grants: ["password", "refresh_token"] });
    await post("/auth/login", { username: typed, password: "planted-password" });
    await post("/auth/login", { ...user, client_id: "planted-client", client_secret: "planted-secret" });
    const login = await post("/auth/login", { ...user }, basicOf(client));
    const tokens = login.json as unknown as Tokens;
    const change = { current_password: "planted-current", new_password: "planted-new-password" };
    await post("/auth/change-password", change, bearerOf(tokens));
    await post("/auth/revoke", { token: tokens.refresh_token }, basicOf(client));
    const counted = await retry(10_000, async () => {
      const count = await countUnsettled(sql);
      return count === 0 ? null : count;
    });
    expect(counted).toBeGreaterThan(0);
    const text = (await readWholeTrail(sql)).toLowerCase();
    const secrets = [typed, "planted-", user.password, client.secret, user.username, service.admin.username];
    for (const secret of [
      ...secrets,
      tokens.refresh_token,
      tokens.access_token,
      testSecretKey,
      "csr_",
      "csc_",
    ]) {
      expect(text).not.toContain(secret.toLowerCase());
    }
  }, 60_000);
});
