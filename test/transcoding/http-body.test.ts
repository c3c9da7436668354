import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { bind, refusal } from "./demo.ts";
import { type DemoServer, startDemoServer } from "./demo-server.ts";

let server: DemoServer;
beforeAll(async () => {
  server = await startDemoServer();
});
afterAll(() => server.drain(0));

const bytes = new Uint8Array([0, 255, 10, 128]);

describe("google.api.HttpBody", () => {
  test.each([
    ["image/png", "image/png"],
    ['text/plain; charset="iso-8859-1"', 'text/plain; charset="iso-8859-1"'],
    [undefined, "application/octet-stream"],
  ])("is the body itself, both ways, of the type %p", async (sent, received) => {
    const headers = sent === undefined ? {} : { "content-type": sent };
    const answer = await fetch(`${server.url}/copies`, { method: "POST", headers, body: bytes });
    expect([answer.status, answer.headers.get("content-type"), answer.headers.get("content-length")]).toEqual(
      [200, received, "4"],
    );
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(bytes);
  });

  test("may be empty, and is not asked for in Accept", async () => {
    const answer = await fetch(`${server.url}/copies`, { method: "POST", headers: { accept: "image/*" } });
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
  });

  test("fills one field beside path and query", () => {
    const call = { contentType: "image/png", body: bytes };
    expect(bind("PUT", "/books/7/cover?note=a", call)).toMatchObject({
      id: "7",
      note: "a",
      image: { contentType: "image/png", data: bytes, extensions: [] },
    });
    expect(refusal(() => bind("PUT", "/books/7/cover?image.data=AA==", call))).toBe(
      "400 The field image.data may not be given as a parameter here.",
    );
    expect(refusal(() => bind("POST", "/copies?content_type=a", call))).toBe(
      "400 The field content_type may not be given in the query string.",
    );
    expect(refusal(() => bind("POST", "/copies", { contentType: "nonsense", body: bytes }))).toBe(
      "415 The content type is malformed.",
    );
    expect(refusal(() => bind("POST", "/copies", { ...call, contentEncoding: "gzip" }))).toBe(
      "415 The content encoding must be identity.",
    );
  });

  test("is shown from one field of the answer, with HEAD as with GET", async () => {
    const answer = await fetch(`${server.url}/books/abc/cover`);
    expect([answer.headers.get("content-type"), await answer.text()]).toEqual(["image/png", "abc"]);
    const head = await fetch(`${server.url}/books/abc/cover`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "3", ""]);
  });

  test("is JSON where it is neither the body nor the answer", async () => {
    const answer = await fetch(`${server.url}/books/7/cover`, { method: "PUT", body: bytes });
    expect(await answer.json()).toEqual({
      id: "7",
      image: { content_type: "", data: "AP8KgA==", extensions: [] },
      note: "",
    });
  });
});

describe("google.protobuf.Any", () => {
  const send = (body: unknown) =>
    fetch(`${server.url}/parcels`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });

  test("holds any message of the service's files", async () => {
    const content = { "@type": "type.googleapis.com/demo.v1.Author", display_name: "Ada" };
    const answer = await send({ content });
    expect([answer.status, await answer.json()]).toEqual([200, { content }]);
    const duration = { "@type": "type.googleapis.com/google.protobuf.Duration", value: "3s" };
    expect(await (await send({ content: duration })).json()).toEqual({ content: duration });
  });

  test.each([
    { "@type": "type.googleapis.com/demo.v1.Nope" },
    { "@type": "type.googleapis.com/demo.v1.Author", nope: 1 },
    { display_name: "Ada" },
    { "@type": 7 },
    7,
  ])("is refused as %j", async (content) => {
    const answer = await send({ content });
    expect([answer.status, await answer.json()]).toEqual([
      400,
      expect.objectContaining({ detail: "The field content does not hold a valid value." }),
    ]);
  });
});
