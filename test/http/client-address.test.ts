import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startService, type TestService } from "../_harness/service.ts";
import { eventually } from "../_harness/eventually.ts";
import { request, sendRaw } from "../security/raw-http1.ts";
import { http2Request, withHttp2 } from "../security/rpc-calls.ts";

const trusting: { service?: TestService } = {};
const wary: { service?: TestService } = {};
beforeAll(async () => {
  [wary.service, trusting.service] = await Promise.all([
    startService(),
    startService({ env: { TRUSTED_PROXIES: "127.0.0.0/8, 10.0.0.0/8, 2001:db8::/32" } }),
  ]);
});
afterAll(() => Promise.all([wary.service?.stop(), trusting.service?.stop()]));

/** What the log says of a request with these header lines. */
async function logged(
  { service }: { service?: TestService },
  lines: readonly string[],
): Promise<Record<string, unknown>> {
  if (service === undefined) throw new Error("the service has not been started");
  const { answers } = await sendRaw(service.port, [request("GET /nothing", lines)]);
  const id = answers[0]?.headers["x-request-id"];
  const find = (): Record<string, unknown> | undefined =>
    service.logs().find(({ request_id }) => request_id === id);
  await eventually(() => find() !== undefined);
  return find() ?? {};
}

describe("the client's address", () => {
  test("is the connection's where no proxy is trusted", async () => {
    const entry = await logged(wary, [
      "X-Forwarded-For: 192.0.2.1",
      "Forwarded: for=192.0.2.1",
      "X-Real-IP: 192.0.2.1",
    ]);
    expect(entry["client_address"]).toBe("127.0.0.1");
  });

  test.each([
    ["the one that a trusted proxy names", ["X-Forwarded-For: 192.0.2.1"], "192.0.2.1"],
    ["the right-most of several", ["X-Forwarded-For: 203.0.113.9, 192.0.2.1"], "192.0.2.1"],
    [
      "the right-most that is not trusted",
      ["X-Forwarded-For: 203.0.113.9, 192.0.2.1, 10.1.2.3"],
      "192.0.2.1",
    ],
    [
      "found over several lines",
      ["X-Forwarded-For: 203.0.113.9", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 10.0.0.1"],
      "192.0.2.1",
    ],
    ["plain IPv4 where it is mapped", ["X-Forwarded-For: ::ffff:192.0.2.1"], "192.0.2.1"],
    ["IPv6 with a port", ["X-Forwarded-For: [2001:4860::1]:443"], "2001:4860::1"],
    ["the proxy's where there is no header", [], "127.0.0.1"],
    [
      "the proxy's where the nearest claim is no address",
      ["X-Forwarded-For: 192.0.2.1, unknown"],
      "127.0.0.1",
    ],
  ])("is %s", async (_, lines, address) => {
    expect((await logged(trusting, lines))["client_address"]).toBe(address);
  });
});

describe("the request id", () => {
  test.each(["a", "0f8fad5b-d9cb-469f-a165-70867728950e", "A_b-9", "x".repeat(64)])(
    "is the caller's %s",
    async (id) => {
      expect((await logged(wary, [`X-Request-Id: ${id}`]))["request_id"]).toBe(id);
    },
  );

  test.each([
    ["empty", ["X-Request-Id: "]],
    ["too long", [`X-Request-Id: ${"x".repeat(65)}`]],
    ["of other characters", ["X-Request-Id: a.b"]],
    ["of bytes beyond ASCII", ["X-Request-Id: \xe9"]],
    ["given twice", ["X-Request-Id: a", "X-Request-Id: a"]],
    ["an address", ["X-Request-Id: http://example.com/"]],
    ["not given", []],
  ])("is ours where the caller's is %s", async (_, lines) => {
    expect((await logged(wary, lines))["request_id"]).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  test("is in every answer over HTTP/2 too", async () => {
    await withHttp2(wary.service?.url ?? "", async (session) => {
      const { headers } = await http2Request(session, { ":path": "/nothing", "x-request-id": "mine" });
      expect(headers["x-request-id"]).toBe("mine");
    });
  });
});
