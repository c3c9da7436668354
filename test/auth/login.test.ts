import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startService, type TestService } from "../_harness/service.ts";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

describe("POST /auth/login", () => {
  test("a right password is answered with the TokenResponse of the contract", async () => {
    const body = new URLSearchParams({ grant_type: "password", ...service.admin });
    const answer = await fetch(`${service.url}/auth/login`, { method: "POST", body });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      refresh_token: expect.stringMatching(/^csr_[\w-]{82}$/),
      token_type: "bearer",
      expires_in: 900,
    });
  });
});
