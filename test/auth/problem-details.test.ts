import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { FieldError } from "../../src/errors/app-error.ts";
import { type ReasonSpec, reasons } from "../../src/errors/reasons.ts";
import * as given from "../_harness/given.ts";
import { basic, bearerOf, type RestAnswer, send, sendForm, sendJson } from "../_harness/rest.ts";
import { startService, type TestService } from "../_harness/service.ts";

let service: TestService;
beforeAll(async () => {
  // RateLimit counts on from one answer to the next.
  service = await startService({ env: { THROTTLE_LOGIN_ADDRESS: "off" } });
  await Promise.all(
    (["pending", "suspended", "deactivated"] as const).map((status) =>
      given.user(service, { username: status, status }),
    ),
  );
});
afterAll(() => service.stop());

const requestId = "a-request-of-mine";
const bearerChallenge = 'Bearer realm="countersign"';

interface Case {
  readonly ask: (url: string) => Promise<RestAnswer>;
  readonly status: number;
  /** The last part of `type`; absent for about:blank. */
  readonly page?: string;
  readonly reason: string;
  readonly title: string;
  readonly detail: string;
  readonly error?: string;
  readonly errors?: readonly FieldError[];
  readonly challenge?: string;
  readonly allow?: string;
}

const id = { "x-request-id": requestId };
const login =
  (body: Record<string, string>, headers = {}) =>
  (url: string) =>
    sendForm(`${url}/auth/login`, body, { ...id, ...headers });
const admin = { username: "admin", password: "correct horse battery" };
const asUser = (username: string) => login({ ...admin, username });

const cases: Record<string, Case> = {
  "a body that does not parse": {
    ask: (url) => sendJson(`${url}/auth/login`, "{", id),
    status: 400,
    page: "malformed_request",
    reason: "malformed_request",
    title: "The request cannot be read",
    detail: "The body is not well-formed JSON.",
    error: "invalid_request",
  },
  "an unknown grant type": {
    ask: login({ grant_type: "implicit", ...admin }),
    status: 400,
    page: "unsupported_grant_type",
    reason: "unsupported_grant_type",
    title: "Unsupported grant type",
    detail: "The grant type is not supported here; use password.",
    error: "unsupported_grant_type",
  },
  "an unknown scope": {
    ask: login({ scope: "everything", ...admin }),
    status: 400,
    page: "invalid_scope",
    reason: "invalid_scope",
    title: "Invalid scope",
    detail: "A scope is unknown, malformed, or more than may be asked for.",
    error: "invalid_scope",
  },
  "a wrong password": {
    ask: login({ username: "admin", password: "wrong" }),
    status: 401,
    page: "invalid_credentials",
    reason: "invalid_credentials",
    title: "Invalid credentials",
    detail: "The username or the password is wrong.",
    error: "invalid_grant",
    challenge: bearerChallenge,
  },
  "a client that is not known": {
    ask: login({ client_id: "nobody", ...admin }),
    status: 401,
    page: "invalid_client",
    reason: "invalid_client",
    title: "Client authentication failed",
    detail: "The client is unknown or did not authenticate.",
    error: "invalid_client",
    challenge: bearerChallenge,
  },
  "a client that is not known, by HTTP Basic": {
    ask: login(admin, basic("nobody:secret")),
    status: 401,
    page: "invalid_client",
    reason: "invalid_client",
    title: "Client authentication failed",
    detail: "The client is unknown or did not authenticate.",
    error: "invalid_client",
    challenge: 'Basic realm="countersign", charset="UTF-8"',
  },
  "no access token": {
    ask: (url) => send(`${url}/auth/me`, { headers: id }),
    status: 401,
    page: "missing_token",
    reason: "missing_token",
    title: "Authentication required",
    detail: "An access token is required.",
    error: "invalid_token",
    challenge: bearerChallenge,
  },
  "an access token that is not ours": {
    ask: (url) => send(`${url}/auth/me`, { headers: { ...id, authorization: "Bearer abc" } }),
    status: 401,
    page: "invalid_token",
    reason: "invalid_token",
    title: "Invalid access token",
    detail: "The access token is invalid, expired or revoked.",
    error: "invalid_token",
    challenge: `${bearerChallenge}, error="invalid_token"`,
  },
  "an account that is pending": {
    ask: asUser("pending"),
    status: 403,
    page: "account_pending",
    reason: "account_pending",
    title: "Account pending",
    detail: "The account has not been activated yet.",
    error: "access_denied",
  },
  "an account that is suspended": {
    ask: asUser("suspended"),
    status: 403,
    page: "account_suspended",
    reason: "account_suspended",
    title: "Account suspended",
    detail: "The account is suspended.",
    error: "access_denied",
  },
  "an account that is deactivated": {
    ask: asUser("deactivated"),
    status: 403,
    page: "account_deactivated",
    reason: "account_deactivated",
    title: "Account deactivated",
    detail: "The account has been deactivated.",
    error: "access_denied",
  },
  "a path that leads nowhere": {
    ask: (url) => send(`${url}/auth/logon`, { headers: id }),
    status: 404,
    reason: "not_found",
    title: "Not Found",
    detail: "There is nothing at this path.",
  },
  "a method that the path does not take": {
    ask: (url) => send(`${url}/auth/login`, { headers: id }),
    status: 405,
    reason: "method_not_allowed",
    title: "Method Not Allowed",
    detail: "The path does not take this method.",
    error: "invalid_request",
    allow: "OPTIONS, POST",
  },
  "an answer that cannot be had": {
    ask: login(admin, { accept: "text/html" }),
    status: 406,
    reason: "not_acceptable",
    title: "Not Acceptable",
    detail: "The answer is application/json, which the Accept header excludes.",
    error: "invalid_request",
  },
  "a body that is too large": {
    ask: login({ ...admin, more: "x".repeat(65_536) }),
    status: 413,
    reason: "payload_too_large",
    title: "Content Too Large",
    detail: "The body is larger than 65536 bytes.",
    error: "invalid_request",
  },
  "a media type that is not taken": {
    ask: login(admin, { "content-type": "text/plain" }),
    status: 415,
    reason: "unsupported_media_type",
    title: "Unsupported Media Type",
    detail: "The content type must be application/json or application/x-www-form-urlencoded.",
    error: "invalid_request",
  },
  "fields that are not valid": {
    ask: login({ username: "u".repeat(255) }),
    status: 422,
    page: "validation_failed",
    reason: "validation_failed",
    title: "Validation failed",
    detail: "A field is not valid.",
    error: "invalid_request",
    errors: [
      { field: "username", code: "too_long", detail: "must be at most 254 characters" },
      { field: "password", code: "required", detail: "is required" },
    ],
  },
};

describe("the whole answer to", () => {
  test.each(Object.entries(cases))("%s is the ProblemDetail of the contract", async (_what, expected) => {
    const { status, title, detail, reason, page, error, errors, challenge = null, allow = null } = expected;
    const answer = await expected.ask(service.url);
    expect(answer.status).toBe(status);
    expect(answer.json).toEqual({
      type: page === undefined ? "about:blank" : `http://localhost:${service.port}/problems/${page}`,
      title,
      status,
      detail,
      reason,
      request_id: requestId,
      ...(errors === undefined ? {} : { errors }),
      ...(error === undefined ? {} : { error, error_description: detail }),
    });
    expect(Object.fromEntries(answer.headers)).toEqual({
      "content-type": "application/problem+json",
      "content-length": String(Buffer.byteLength(answer.text)),
      "cache-control": "no-store",
      "x-request-id": requestId,
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      ...(challenge === null ? {} : { "www-authenticate": challenge }),
      ...(allow === null ? {} : { allow }),
      date: expect.any(String),
      connection: "keep-alive",
      "keep-alive": expect.any(String),
    });
  });
});

describe("an error's media type", () => {
  test.each([
    [undefined, "application/problem+json"],
    ["*/*", "application/problem+json"],
    ["application/*", "application/problem+json"],
    ["text/html", "application/problem+json"],
    ["application/json", "application/json"],
    ["application/json, text/plain, */*", "application/json"],
    ["application/problem+json", "application/problem+json"],
    ["application/problem+json, application/json", "application/problem+json"],
    ["application/json;q=0, */*", "application/problem+json"],
  ])("for the Accept header %j is %s, with the same body", async (accept, contentType) => {
    const headers: Record<string, string> = accept === undefined ? id : { ...id, accept };
    const { headers: got, json } = await send(`${service.url}/nothing`, { headers });
    expect(got.get("content-type")).toBe(contentType);
    expect(json).toMatchObject({ type: "about:blank", status: 404, reason: "not_found" });
  });
});

describe("X-Request-Id", () => {
  test.each(["a", "0123456789-_ABCxyz", "x".repeat(64)])("is taken over where it is %s", async (given) => {
    const { headers, json } = await send(`${service.url}/nothing`, { headers: { "x-request-id": given } });
    expect([headers.get("x-request-id"), json["request_id"]]).toEqual([given, given]);
  });

  test.each(["x".repeat(65), "a b", "a/b", "a,b", '"a"'])("is made anew where it is %s", async (given) => {
    const { headers, text } = await send(`${service.url}/nothing`, { headers: { "x-request-id": given } });
    expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(text).not.toContain(given);
  });
});

describe("an error never echoes", () => {
  const canary = "canary8317";
  test.each<[string, (url: string) => Promise<RestAnswer>]>([
    ["a form value", (url) => sendForm(`${url}/auth/login`, { ...admin, grant_type: canary })],
    ["a scope", (url) => sendForm(`${url}/auth/login`, { ...admin, scope: canary })],
    ["a parameter's name", (url) => sendForm(`${url}/auth/login`, `username=${canary}%00&${canary}=%zz`)],
    ["a JSON member", (url) => sendJson(`${url}/auth/login`, `{"username": ["${canary}"]}`)],
    ["broken JSON", (url) => sendJson(`${url}/auth/login`, `{"${canary}"`)],
    ["the path", (url) => send(`${url}/${canary}`)],
    ["the query", (url) => sendForm(`${url}/auth/login?password=${canary}`, admin)],
    ["a token", (url) => send(`${url}/auth/me`, { headers: bearerOf(canary) })],
    ["a media type", (url) => sendForm(`${url}/auth/login`, admin, { "content-type": `text/${canary}` })],
    ["the client", (url) => sendForm(`${url}/auth/login`, admin, basic(`${canary}:${canary}`))],
  ])("%s, and neither does the log", async (_what, ask) => {
    const answer = await ask(service.url);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.text + JSON.stringify([...answer.headers])).not.toContain(canary);
    expect(service.output()).not.toContain(canary);
  });
});

const all = Object.entries<ReasonSpec>(reasons);

test.each(all)("/problems/%s explains the reason", async (reason, spec) => {
  for (const path of [`/problems/${reason}`, `/problems/${reason}/`]) {
    const { status, headers, text } = await send(service.url + path);
    expect([status, headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(headers.get("content-security-policy")).toBe(
      "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    );
    expect(text).toContain(`<h1>${spec.title}</h1>`);
    expect(text).toContain(`<code>${reason}</code>`);
    expect(text).toContain(`<code>${spec.status}</code>`);
    expect(text).toContain(`<code>${spec.code}</code>`);
  }
});

test.each(["nothing", "/", "__proto__"])("/problems/%s is not there", async (name) => {
  const answer = await send(`${service.url}/problems/${name}`);
  expect([answer.status, answer.json["reason"]]).toEqual([404, "not_found"]);
});
