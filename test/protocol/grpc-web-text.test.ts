import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { LoginRequestSchema, TokenResponseSchema } from "../../src/gen/countersign/v1/auth_pb.ts";
import { startService, type TestService } from "../_harness/service.ts";

// The text form of gRPC-Web (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md): everything in base64.

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

const path = "/countersign.v1.AuthService/Login";

async function call(body: string, contentType = "application/grpc-web-text") {
  const headers = { "content-type": contentType };
  const answer = await fetch(service.url + path, { method: "POST", headers, body });
  return { status: answer.status, type: answer.headers.get("content-type"), text: await answer.text() };
}

function envelope(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([head, message]);
}

/** The frames of a body: their flags and contents. */
function framesOf(bytes: Buffer): [number, Buffer][] {
  const frames: [number, Buffer][] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    frames.push([bytes.readUInt8(at), bytes.subarray(at + 5, end)]);
    at = end;
  }
  return frames;
}

const loginAs = (user: { username: string; password: string }) =>
  envelope(toBinary(LoginRequestSchema, create(LoginRequestSchema, user)));

describe("a call in base64", () => {
  test.each(["application/grpc-web-text", "application/grpc-web-text+proto", "APPLICATION/grpc-web-text"])(
    "of the type %s is answered in base64, under its own type",
    async (contentType) => {
      const { status, type, text } = await call(loginAs(service.admin).toString("base64"), contentType);
      expect([status, type]).toEqual([200, contentType.toLowerCase()]);
      expect(Buffer.from(text, "base64").toString("base64")).toBe(text);
      const [message, trailer] = framesOf(Buffer.from(text, "base64"));
      expect(fromBinary(TokenResponseSchema, message?.[1] ?? Buffer.of())).toMatchObject({ expiresIn: 900 });
      expect([trailer?.[0], trailer?.[1].toString()]).toEqual([
        0x80,
        expect.stringMatching(/grpc-status: ?0/),
      ]);
    },
  );

  test("may come in pieces with padding of their own", async () => {
    const bytes = loginAs(service.admin);
    const pieces = [bytes.subarray(0, 5), bytes.subarray(5, 12), bytes.subarray(12)];
    const { text } = await call(pieces.map((piece) => piece.toString("base64")).join(""));
    expect(framesOf(Buffer.from(text, "base64"))).toHaveLength(2);
  });

  test("is told its failure in base64", async () => {
    const { status, text } = await call(loginAs({ username: "nobody", password: "x" }).toString("base64"));
    const [trailer] = framesOf(Buffer.from(text, "base64"));
    expect([status, trailer?.[0]]).toEqual([200, 0x80]);
    expect(trailer?.[1].toString()).toMatch(/grpc-status: ?16/);
  });

  test.each(["=", "AAAA=", "AAA", "AA AA", "AAAA\n", "!", "AA-_", "AB=="])(
    "that is %j is refused",
    async (body) => {
      const [trailer] = framesOf(Buffer.from((await call(body)).text, "base64"));
      expect(trailer?.[1].toString()).toMatch(/grpc-status: ?3/);
    },
  );
});

test("the binary form stays binary", async () => {
  const { type, text } = await call("x", "application/grpc-web+proto");
  expect(type).toBe("application/grpc-web+proto");
  expect(text).toMatch(/grpc-status: ?3/);
});
