import { afterEach, describe, expect, test } from "@jest/globals";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { createTokenSource, type TokenSourceOptions } from "../../packages/verify/src/token-source.ts";
import { eventually } from "../_harness/eventually.ts";

interface Asked {
  readonly authorization: string | undefined;
  readonly body: string;
}

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A token endpoint that hands out token-1, token-2 and so on. */
async function startEndpoint() {
  const asked: Asked[] = [];
  const state = { expiresIn: 900, status: 200, headers: {} as Record<string, string> };
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    void text(request).then((body) => {
      asked.push({ authorization: request.headers.authorization, body });
      const token = {
        access_token: `token-${asked.length}`,
        token_type: "bearer",
        expires_in: state.expiresIn,
      };
      response.writeHead(state.status, state.headers).end(JSON.stringify(state.status === 200 ? token : {}));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/auth/token`;
  const source = (options: Partial<TokenSourceOptions> = {}) =>
    createTokenSource({ tokenEndpoint: url, clientId: "batch", clientSecret: "s3cret", ...options });
  return { asked, state, source };
}

describe("a token source", () => {
  test("asks once, however many calls need a token", async () => {
    const { asked, source } = await startEndpoint();
    const tokens = source({ scopes: ["orders.read", "orders.write"] });
    expect(new Set(await Promise.all(Array.from({ length: 50 }, () => tokens.token())))).toEqual(
      new Set(["token-1"]),
    );
    expect(await tokens.token()).toBe("token-1");
    expect(asked).toEqual([
      {
        authorization: `Basic ${Buffer.from("batch:s3cret").toString("base64")}`,
        body: "grant_type=client_credentials&scope=orders.read+orders.write",
      },
    ]);
  });

  test("spells the client's parts as RFC 6749 section 2.3.1 wants", async () => {
    const { asked, source } = await startEndpoint();
    await source({ clientId: "a:b", clientSecret: () => "ü %+" }).token();
    const [first] = asked;
    expect(Buffer.from(first?.authorization?.slice(6) ?? "", "base64").toString()).toBe(
      "a%3Ab:%C3%BC+%25%2B",
    );
  });

  test("renews behind the calls while the old token lives", async () => {
    const { asked, state, source } = await startEndpoint();
    state.expiresIn = 6;
    const tokens = source();
    expect(await tokens.token()).toBe("token-1");
    // Less than the margin is left after a second: the next call waits for a new one.
    await eventually(async () => (await tokens.token()) === "token-2");
    state.expiresIn = 900;
    expect(asked.length).toBeGreaterThanOrEqual(2);
  });

  test("asks anew for a token that a service refused, and keeps another", async () => {
    const { source } = await startEndpoint();
    const tokens = source();
    expect(await tokens.token()).toBe("token-1");
    tokens.forget("another");
    expect(await tokens.token()).toBe("token-1");
    tokens.forget("token-1");
    expect(await tokens.token()).toBe("token-2");
  });

  test("asks nothing before Retry-After is over", async () => {
    const { asked, state, source } = await startEndpoint();
    state.status = 429;
    state.headers = { "retry-after": "30" };
    const tokens = source();
    for (let index = 0; index < 5; index += 1) {
      await expect(tokens.token()).rejects.toMatchObject({
        name: "FetchError",
        status: 429,
        retryAfterSeconds: 30,
      });
    }
    expect(asked).toHaveLength(1);
  });

  test("goes on after a failure, and shows no secret in its error", async () => {
    const { state, source } = await startEndpoint();
    state.status = 503;
    const tokens = source();
    const error = await tokens.token().catch((reason: unknown) => reason);
    expect(String(error)).toMatch(/^FetchError: POST http.*\/auth\/token: status 503$/);
    state.status = 200;
    await eventually(() =>
      tokens.token().then(
        () => true,
        () => false,
      ),
    );
  });

  test("refuses to send its secret in the clear to another machine", () => {
    expect(() =>
      createTokenSource({ tokenEndpoint: "http://id.example.com/t", clientId: "a", clientSecret: "b" }),
    ).toThrow("must be an https address");
  });
});
