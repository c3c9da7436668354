import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startService, type TestService } from "../_harness/service.ts";
import {
  callConnect,
  callGrpc,
  callGrpcWeb,
  envelope,
  grpcOutcome,
  http2Request,
  withHttp2,
} from "../security/rpc-calls.ts";
import { expectEventually, expectUnharmed } from "../security/unharmed.ts";

let service: TestService;
beforeAll(async () => {
  service = await startService({ env: { BODY_TIMEOUT: "300ms" } });
});
afterAll(async () => {
  await expectUnharmed(service);
  await service.stop();
});

const watch = "/grpc.health.v1.Health/Watch";
const reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

describe("a call that answers with a stream", () => {
  test("is refused as payload_too_large where its message is larger than any may be", async () => {
    const body = envelope(Buffer.alloc(1_000_000));
    const outcome = { code: "ResourceExhausted", reason: "payload_too_large" };
    expect(await callGrpc(service.url, { path: watch, body })).toMatchObject(outcome);
    expect(await callGrpcWeb(service.url, { path: watch, body })).toMatchObject(outcome);
  });

  test("ends as request_timeout where its message does not come in time", async () => {
    const headers = {
      ":method": "POST",
      ":path": watch,
      "content-type": "application/grpc",
      te: "trailers",
    };
    const outcome = await withHttp2(service.url, (session) => http2Request(session, headers, "open"));
    expect(grpcOutcome(outcome)).toMatchObject({ code: "DeadlineExceeded", reason: "request_timeout" });
  });

  test("is logged with the reason that it failed of", async () => {
    const headers = { "x-request-id": "two-messages" };
    const body = Buffer.concat([envelope(Buffer.alloc(0)), envelope(Buffer.alloc(0))]);
    const outcome = await callGrpc(service.url, { path: watch, headers, body });
    expect(outcome.reason).toBe("malformed_request");
    const line = () => service.logs().find((fields) => fields["request_id"] === "two-messages");
    await expectEventually(() => line() !== undefined);
    expect(line()).toMatchObject({ rpc: "grpc.health.v1.Health/Watch", reason: "malformed_request" });
  });
});

test("a call that streams both ways is refused over HTTP/1.1, and told that it takes HTTP/2", async () => {
  const headers = { "content-type": "application/connect+json" };
  const outcome = await callConnect(service.url, {
    path: reflection,
    headers,
    body: envelope(Buffer.from("{}")),
  });
  expect(outcome).toMatchObject({ httpStatus: 400, code: "InvalidArgument", reason: "malformed_request" });
  expect(outcome.text).toContain("takes HTTP/2");
});
