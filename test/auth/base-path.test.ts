import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createCaller } from "../_harness/callers.ts";
import { send, sendForm } from "../_harness/rest.ts";
import { startService, type TestService } from "../_harness/service.ts";

let service: TestService;
beforeAll(async () => {
  service = await startService({ env: { BASE_PATH: "/api", ISSUER: "https://id.example.org" } });
});
afterAll(() => service.stop());

describe("BASE_PATH=/api", () => {
  test.each(["/api/auth/login", "/api/auth/login/"])("puts logins at %s", async (path) => {
    expect((await sendForm(service.url + path, service.admin)).status).toBe(200);
  });

  test.each([
    "/auth/login",
    "/auth/me",
    "/.well-known/jwks.json",
    "/problems/invalid_token",
    "/api/livez",
    "/apix/auth/me",
  ])("leaves nothing at %s", async (path) => {
    const answer = await send(service.url + path);
    expect([answer.status, answer.json["type"]]).toEqual([404, "about:blank"]);
  });

  test("alone leads to the reference page", async () => {
    const answer = await fetch(`${service.url}/api`, { redirect: "manual" });
    expect(answer.status).toBe(302);
    expect(answer.headers.get("location")).toContain("/api/docs");
  });

  test("prefixes the keys and the pages of problems, whose addresses are absolute, from ISSUER", async () => {
    expect((await send(`${service.url}/api/.well-known/jwks.json`)).status).toBe(200);
    const { json } = await sendForm(`${service.url}/api/auth/login`, { username: "a" });
    expect(json["type"]).toBe("https://id.example.org/api/problems/validation_failed");
    const page = await send(`${service.url}/api/problems/validation_failed`);
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  });

  test.each(["/livez", "/readyz", "/healthz"])(
    "leaves the probe %s where it is, without detail",
    async (path) => {
      const answer = await send(`${service.url + path}?verbose`);
      expect([answer.status, answer.text]).toEqual([200, "ok\n"]);
    },
  );

  test("leaves RPCs where they are", async () => {
    const caller = createCaller(service.url, "gRPC by grpc-js");
    const { message } = await caller.call({ rpc: "Login", input: { ...service.admin } });
    caller.close();
    expect(message).toMatchObject({ token_type: "bearer" });
  });
});
