import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { generateKeyPair, SignJWT } from "jose";
import { type Reason, reasons } from "../../src/errors/reasons.ts";
import { type Call, type Caller, createCallers } from "../_harness/callers.ts";
import * as given from "../_harness/given.ts";
import type { Outcome, WrongField } from "../_harness/outcome.ts";
import { bearerOf } from "../_harness/rest.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { createTokenSigner } from "../_harness/sign-token.ts";

let service: TestService;
let callers: readonly Caller[];
const users = new Map<string, given.TestUser>();
const tokens = new Map<string, string>();

beforeAll(async () => {
  service = await startService({ env: { BUILTIN_CLIENT_SCOPES: "profile mail" } });
  callers = createCallers(service.url);
  await Promise.all(
    (["pending", "suspended", "deactivated", "active"] as const).map(async (status) => {
      const username = `user-${status}`;
      const options = {
        status,
        ...(status === "active" ? { email: "Ada@Example.org", roles: ["admin", "ops"] } : {}),
      };
      users.set(status, await given.user(service, { username, ...options }));
    }),
  );
  await makeTokens();
}, 60_000);
afterAll(async () => {
  for (const caller of callers) caller.close();
  await service.stop();
});

async function makeTokens(): Promise<void> {
  const stopped = await given.user(service, { username: "stopped" });
  const [{ access_token: genuine }, { access_token: stoppedToken }] = await Promise.all([
    given.session(service, { user: user("active") }),
    given.session(service, { user: stopped }),
  ]);
  await service.command(["user", "suspend", stopped.username]);
  const now = Math.floor(Date.now() / 1000);
  const sign = await createTokenSigner(service);
  const { privateKey } = await generateKeyPair("ES256");
  const foreign = new SignJWT({ sub: "nobody" }).setProtectedHeader({ alg: "ES256", typ: "at+jwt" });
  tokens.set("genuine", genuine);
  tokens.set("expired", await sign(genuine, { claims: { exp: now - 1, iat: now - 901, nbf: now - 906 } }));
  tokens.set("signed with a foreign key", await foreign.sign(privateKey));
  tokens.set("of a suspended user", stoppedToken);
  tokens.set("cut short", genuine.slice(0, -4));
  tokens.set("not a JWT", "opaque");
}

function user(status: string): given.TestUser {
  const found = users.get(status);
  if (found === undefined) throw new Error(`There is no user for ${status}.`);
  return given.credentialsOf(found);
}

/** The outcome of a call by every way in, under the ways' names. */
async function callAll(call: Call): Promise<Record<string, Outcome>> {
  const outcomes = await Promise.all(
    callers.map(async (caller) => [caller.name, await caller.call(call)] as const),
  );
  return Object.fromEntries(outcomes);
}

/** The same for every way in, but that REST alone shows its status. */
function everywhere(outcome: { message: unknown; failure: unknown }, status: number): unknown {
  return Object.fromEntries(
    callers.map(({ name }) => [name, { ...outcome, status: name.startsWith("REST") ? status : null }]),
  );
}

async function expectFailure(call: Call, reason: Reason, fields: readonly WrongField[] = []): Promise<void> {
  const { code, status } = reasons[reason];
  const failure = { reason, code, detail: expect.stringMatching(/^[A-Z].*\.$/), fields, retryAfterMs: null };
  const outcomes = await callAll(call);
  expect(outcomes).toEqual(everywhere({ message: null, failure }, status));
  const details = new Set(Object.values(outcomes).map((outcome) => outcome.failure?.detail));
  expect(details.size).toBe(1);
}

const tooLong = (length: number): string => `must be at most ${length} characters`;
const tooLongBytes = "must be at most 1024 bytes long";
const notAscii = "must hold printable ASCII only";
const controls = "must not hold control characters";
const basic = (pair: string): Record<string, string> => ({ authorization: `Basic ${btoa(pair)}` });

describe("Login", () => {
  test("answers the tokens, in the same members", async () => {
    const tokenResponse = {
      access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      refresh_token: expect.stringMatching(/^csr_[\w-]{82}$/),
      token_type: "bearer",
      expires_in: 900,
    };
    const input = { grant_type: "password", scope: "mail profile", ...user("active") };
    expect(await callAll({ rpc: "Login", input })).toEqual(
      everywhere({ message: tokenResponse, failure: null }, 200),
    );
  });

  test.each<[string, Record<string, string>, Reason]>([
    ["an unknown grant type", { grant_type: "client_credentials" }, "unsupported_grant_type"],
    ["a grant type in other letters", { grant_type: "Password" }, "unsupported_grant_type"],
    ["an unknown scope", { scope: "mail admin" }, "invalid_scope"],
    ["two spaces in a scope", { scope: "mail  profile" }, "invalid_scope"],
    ["a quote in a scope", { scope: '"mail"' }, "invalid_scope"],
    ["an unknown client", { client_id: "nobody" }, "invalid_client"],
    ["a secret for the built-in client", { client_id: "countersign", client_secret: "x" }, "invalid_client"],
    ["a secret without a client", { client_secret: "x" }, "invalid_client"],
    ["a wrong password", { password: "wrong" }, "invalid_credentials"],
    ["an unknown user", { username: "nobody" }, "invalid_credentials"],
    ["an unknown e-mail address", { username: "nobody@example.org" }, "invalid_credentials"],
  ])("refuses %s with the same reason, code and sentence", async (_what, change, reason) => {
    await expectFailure({ rpc: "Login", input: { ...user("active"), ...change } }, reason);
  });

  test.each<[string, Record<string, string>, WrongField]>([
    ["a missing username", { username: "" }, { field: "username", detail: "is required" }],
    ["a missing password", { password: "" }, { field: "password", detail: "is required" }],
    ["a long username", { username: "u".repeat(255) }, { field: "username", detail: tooLong(254) }],
    ["a username with a null byte", { username: "a\0b" }, { field: "username", detail: controls }],
    ["a username with a line break", { username: "a\nb" }, { field: "username", detail: controls }],
    ["a long password", { password: "p".repeat(1025) }, { field: "password", detail: tooLongBytes }],
    ["a password of many bytes", { password: "ü".repeat(513) }, { field: "password", detail: tooLongBytes }],
    ["a long grant type", { grant_type: "g".repeat(256) }, { field: "grant_type", detail: tooLong(255) }],
    ["a long scope", { scope: "s".repeat(1025) }, { field: "scope", detail: tooLong(1024) }],
    ["a long client id", { client_id: "c".repeat(256) }, { field: "client_id", detail: tooLong(255) }],
    ["a client id beyond ASCII", { client_id: "cliënt" }, { field: "client_id", detail: notAscii }],
    [
      "a long client secret",
      { client_secret: "s".repeat(256) },
      { field: "client_secret", detail: tooLong(255) },
    ],
    ["a client secret beyond ASCII", { client_secret: "ß" }, { field: "client_secret", detail: notAscii }],
    [
      "a long device token",
      { device_token: "d".repeat(1025) },
      { field: "device_token", detail: tooLong(1024) },
    ],
    ["a device token with a tab", { device_token: "a\tb" }, { field: "device_token", detail: notAscii }],
  ])("refuses %s as validation_failed and names the field", async (_what, change, field) => {
    await expectFailure({ rpc: "Login", input: { ...user("active"), ...change } }, "validation_failed", [
      field,
    ]);
  });

  test("names every field that is wrong, in the order of the contract", async () => {
    await expectFailure(
      { rpc: "Login", input: { client_id: "ë", scope: "s".repeat(1025) } },
      "validation_failed",
      [
        { field: "username", detail: "is required" },
        { field: "password", detail: "is required" },
        { field: "scope", detail: tooLong(1024) },
        { field: "client_id", detail: notAscii },
      ],
    );
  });

  test.each([
    ["no base 64", { authorization: "Basic !" }],
    ["nothing after the scheme", { authorization: "Basic" }],
    ["no colon", basic("countersign")],
    ["a broken percent-encoding", basic("countersign:%zz")],
    ["bytes that are not UTF-8", { authorization: "Basic /zo=" }],
  ])("refuses HTTP Basic with %s as malformed_request", async (_what, headers) => {
    await expectFailure({ rpc: "Login", input: { ...user("active") }, headers }, "malformed_request");
  });

  test.each<[string, Record<string, string>, Record<string, string>, Reason]>([
    ["two ids", basic("countersign:"), { client_id: "other" }, "malformed_request"],
    ["two secrets", basic("countersign:one"), { client_secret: "two" }, "malformed_request"],
    ["the same secret twice", basic("countersign:one"), { client_secret: "one" }, "malformed_request"],
    ["an unknown client by HTTP Basic", basic("nobody:secret"), {}, "invalid_client"],
    ["a secret for the built-in client by HTTP Basic", basic("countersign:secret"), {}, "invalid_client"],
  ])("refuses %s", async (_what, headers, change, reason) => {
    await expectFailure({ rpc: "Login", input: { ...user("active"), ...change }, headers }, reason);
  });

  test.each(["pending", "suspended", "deactivated"] as const)(
    "tells that the account is %s after the right password, and to nobody else",
    async (status) => {
      await expectFailure({ rpc: "Login", input: { ...user(status) } }, `account_${status}`);
      await expectFailure(
        { rpc: "Login", input: { ...user(status), password: "wrong" } },
        "invalid_credentials",
      );
    },
  );
});

describe("GetCurrentUser", () => {
  const bearer = (token: string): Call => ({
    rpc: "GetCurrentUser",
    headers: bearerOf(token),
  });

  test("answers the user, in the same members", async () => {
    const message = {
      id: expect.stringMatching(/^usr_[0-9a-z]{26}$/),
      username: "user-active",
      email: "Ada@Example.org",
      is_active: true,
      status: "active",
      roles: ["admin", "ops"],
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      last_login_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    };
    const outcomes = await callAll(bearer(tokens.get("genuine") ?? ""));
    expect(outcomes).toEqual(everywhere({ message, failure: null }, 200));
    expect(new Set(Object.values(outcomes).map((outcome) => JSON.stringify(outcome.message))).size).toBe(1);
  });

  test.each<[string, Record<string, string>]>([
    ["nothing", {}],
    ["HTTP Basic", basic("countersign:secret")],
    ["another scheme", { authorization: "Digest abc" }],
  ])("refuses %s in place of a token as missing_token", async (_what, headers) => {
    await expectFailure({ rpc: "GetCurrentUser", headers }, "missing_token");
  });

  test.each(["expired", "signed with a foreign key", "of a suspended user", "cut short", "not a JWT"])(
    "refuses a token that is %s as invalid_token",
    async (kind) => {
      await expectFailure(bearer(tokens.get(kind) ?? ""), "invalid_token");
    },
  );

  test.each(["Bearer", "Bearer a b", "Bearer a,b", "Bearer %"])(
    "refuses the malformed credentials %j as invalid_token",
    async (authorization) => {
      await expectFailure({ rpc: "GetCurrentUser", headers: { authorization } }, "invalid_token");
    },
  );
});

test("GetJwks answers the keys, in the same members", async () => {
  const key = {
    kty: "EC",
    use: "sig",
    alg: "ES256",
    kid: expect.stringMatching(/^[\w-]{43}$/),
    crv: "P-256",
    x: expect.stringMatching(/^[\w-]{43}$/),
    y: expect.stringMatching(/^[\w-]{43}$/),
  };
  const outcomes = await callAll({ rpc: "GetJwks" });
  expect(outcomes).toEqual(everywhere({ message: { keys: [key] }, failure: null }, 200));
  expect(new Set(Object.values(outcomes).map((outcome) => JSON.stringify(outcome.message))).size).toBe(1);
});
