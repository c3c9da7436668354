import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { send } from "../_harness/rest.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { sendRaw } from "../security/raw-http1.ts";

// RFC 6749 section 5.2 and section 3 of the contract: what a POST is refused for before its RPC is reached.

let service: TestService;
beforeAll(async () => {
  service = await startService({ env: { BODY_TIMEOUT: "500ms" } });
});
afterAll(() => service.stop());

const endpoints = ["/auth/token", "/auth/introspect", "/auth/revoke"];

type Headers = Readonly<Record<string, string>>;
const form = { "content-type": "application/x-www-form-urlencoded" };
const post = (path: string, headers: Headers, body: string) =>
  send(service.url + path, { method: "POST", headers: { ...form, ...headers }, body });

const tooLarge = `token=${"x".repeat(70_000)}`;

describe.each(endpoints)("a POST to %s", (path) => {
  test.each<[string, () => ReturnType<typeof send>, string]>([
    ["a body that is too large", () => post(path, {}, tooLarge), "payload_too_large"],
    [
      "a media type that is not taken",
      () => post(path, { "content-type": "text/plain" }, "x"),
      "unsupported_media_type",
    ],
    [
      "a coding of the body that is not taken",
      () => post(path, { "content-encoding": "gzip" }, "x"),
      "unsupported_media_type",
    ],
    ["an Accept without JSON", () => post(path, { accept: "text/html" }, "token=x"), "not_acceptable"],
    ["a target that is too long", () => post(`${path}?${"x".repeat(9000)}`, {}, "token=x"), "uri_too_long"],
    [
      "a header that is too large",
      () => post(path, { "x-large": "x".repeat(17_000) }, "token=x"),
      "headers_too_large",
    ],
    ["credentials in the query", () => post(`${path}?client_secret=x`, {}, "token=x"), "malformed_request"],
    [
      "a parameter given twice",
      () => post(path, {}, "token=x&token=y&grant_type=a&grant_type=b"),
      "malformed_request",
    ],
    ["nothing at all", () => post(path, {}, ""), "malformed_request"],
    ["none of its parameters", () => post(path, {}, "x=y"), "validation_failed"],
  ])("with %s is 400 invalid_request in application/json", async (_what, ask, reason) => {
    const { status, headers, json } = await ask();
    expect([status, headers.get("content-type"), json["status"]]).toEqual([400, "application/json", 400]);
    expect([json["reason"], json["error"]]).toEqual([reason, "invalid_request"]);
    expect([headers.get("cache-control"), headers.get("www-authenticate")]).toEqual(["no-store", null]);
  });

  test("with a broken Host, or a body that never comes, is 400 as well", async () => {
    const head = `POST ${path} HTTP/1.1\r\ncontent-type: ${form["content-type"]}\r\n`;
    for (const [rest, reason] of [
      ["host: [\r\ncontent-length: 0\r\n\r\n", "malformed_request"],
      ["host: a\r\ncontent-length: 9\r\n\r\ntoken", "request_timeout"],
    ]) {
      const { answers } = await sendRaw(service.port, [head + rest]);
      const [answer] = answers;
      expect([answer?.status, answer?.headers["content-type"]]).toEqual([400, "application/json"]);
      expect(JSON.parse(answer?.body ?? "")).toMatchObject({ reason, error: "invalid_request" });
    }
  });

  test("is answered with a problem in its own media type where that is named", async () => {
    const { status, headers, json } = await post(
      path,
      { accept: "application/json, application/problem+json" },
      tooLarge,
    );
    expect([status, headers.get("content-type")]).toEqual([400, "application/problem+json"]);
    expect(json).toEqual({
      type: "about:blank",
      title: "Bad Request",
      status: 400,
      detail: expect.any(String),
      reason: "payload_too_large",
      request_id: expect.any(String),
      error: "invalid_request",
      error_description: expect.any(String),
    });
  });

  test("is what these endpoints are for: another method is 405 with Allow, as everywhere", async () => {
    const { status, headers, json } = await send(service.url + path);
    expect([status, headers.get("allow"), json["reason"]]).toEqual([
      405,
      "OPTIONS, POST",
      "method_not_allowed",
    ]);
    expect(headers.get("content-type")).toBe("application/problem+json");
  });
});

test("the same failures keep HTTP's statuses at /auth/login", async () => {
  expect((await post("/auth/login", {}, tooLarge)).status).toBe(413);
  expect((await post("/auth/login", { accept: "text/html" }, "username=a")).status).toBe(406);
  expect((await post("/auth/login", { "content-type": "text/plain" }, "x")).status).toBe(415);
});
