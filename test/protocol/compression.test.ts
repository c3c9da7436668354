import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { openH2 } from "../_harness/h2-request.ts";
import { sendForm, sendJson } from "../_harness/rest.ts";
import { startService, type TestService } from "../_harness/service.ts";

// What a codec cannot decompress is told with what is taken: gRPC's compression.md, the Connect protocol, and
// RFC 9110 section 15.5.16.

let service: TestService;
let h2: ReturnType<typeof openH2>;
beforeAll(async () => {
  service = await startService();
  h2 = openH2(service.url);
});
afterAll(async () => {
  h2.close();
  await service.stop();
});

const login = "/countersign.v1.AuthService/Login";
const jwks = "/countersign.v1.TokenService/GetJwks";
const watch = "/grpc.health.v1.Health/Watch";
const unimplemented = "12";

const post = (path: string, headers: Readonly<Record<string, string>>) =>
  h2.send({ method: "POST", path, headers: { te: "trailers", ...headers }, body: Buffer.alloc(5) });

describe.each(["br", "zstd", "snappy", "gzip, gzip"])("a message in %s is UNIMPLEMENTED", (coding) => {
  test("over gRPC, with what is taken", async () => {
    const answer = await post(login, { "content-type": "application/grpc", "grpc-encoding": coding });
    expect(answer.trailers).toMatchObject({ "grpc-status": unimplemented });
    expect(answer.trailers["grpc-message"]).toMatch(/gzip/);
    expect(answer.headers["grpc-accept-encoding"]).toBe("identity,gzip");
  });

  test("over gRPC-Web, with what is taken", async () => {
    const answer = await post(login, { "content-type": "application/grpc-web", "grpc-encoding": coding });
    expect(answer.body.toString("latin1")).toMatch(/grpc-status: ?12\r\n/);
    expect(answer.headers["grpc-accept-encoding"]).toBe("identity,gzip");
  });

  test("over Connect, with what is taken", async () => {
    const byPost = await sendJson(service.url + login, service.admin, { "content-encoding": coding });
    const byGet = await fetch(
      `${service.url}${jwks}?encoding=json&message=%7B%7D&compression=${encodeURIComponent(coding)}`,
    );
    for (const [status, headers, json] of [
      [byPost.status, byPost.headers, byPost.json],
      [byGet.status, byGet.headers, (await byGet.json()) as object],
    ] as const) {
      expect([status, headers.get("accept-encoding")]).toEqual([415, "identity, gzip"]);
      expect(json).toMatchObject({
        code: "unimplemented",
        message: expect.stringContaining("gzip"),
        details: [{ debug: { reason: "unsupported_media_type" } }],
      });
    }
  });

  test("in a stream, which takes none, with the reason", async () => {
    const grpc = await post(watch, { "content-type": "application/grpc", "grpc-encoding": coding });
    expect(grpc.trailers["grpc-status"] ?? grpc.headers["grpc-status"]).toBe(unimplemented);
    const connect = await post(watch, {
      "content-type": "application/connect+proto",
      "connect-content-encoding": coding,
    });
    expect(connect.body.toString("latin1")).toContain('"code":"unimplemented"');
  });

  test("over REST is 415, which takes none", async () => {
    const answer = await sendForm(`${service.url}/auth/login`, service.admin, {
      "content-encoding": coding,
    });
    expect([answer.status, answer.headers.get("accept-encoding")]).toEqual([415, "identity"]);
    expect(answer.json["reason"]).toBe("unsupported_media_type");
  });
});

test("a media type that is not taken is no matter of codings", async () => {
  const answer = await sendForm(`${service.url}/auth/login`, "x", { "content-type": "text/plain" });
  expect([answer.status, answer.headers.get("accept-encoding")]).toEqual([415, null]);
});
