import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { installDebianPackages } from "../_harness/debian-package.ts";
import { runClient } from "../_harness/run-client.ts";
import { startService, type TestService } from "../_harness/service.ts";

let service: TestService;
beforeAll(async () => {
  if ((await runClient("curl", ["--version"])).code !== 0) {
    await installDebianPackages(["curl"], "This test needs curl with HTTP/2.");
  }
  service = await startService();
}, 180_000);
afterAll(() => service.stop());

describe.each([
  ["HTTP/1.1", "--http1.1", "1.1"],
  ["HTTP/2 by prior knowledge", "--http2-prior-knowledge", "2"],
  // curl asks for h2c by Upgrade, which RFC 9113 did away with: the answer comes over HTTP/1.1.
  ["HTTP/2 by upgrade", "--http2", "1.1"],
])("curl over %s", (_what, flag, version) => {
  const curl = async (...args: string[]) => {
    const form = ["-sS", flag, "-w", "\n%{http_code} %{http_version} %{content_type}"];
    const { code, stdout, stderr } = await runClient("curl", [...form, ...args]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const end = stdout.lastIndexOf("\n");
    return { body: JSON.parse(stdout.slice(0, end)) as Record<string, unknown>, end: stdout.slice(end + 1) };
  };
  const tokens = expect.objectContaining({ token_type: "bearer", expires_in: 900 });

  test("signs in with -d", async () => {
    const answer = await curl(
      "-d",
      "username=admin&password=correct+horse+battery",
      `${service.url}/auth/login`,
    );
    expect(answer).toEqual({ body: tokens, end: `200 ${version} application/json` });
  });

  test("signs in with --data-urlencode, and asks for the user", async () => {
    const { body } = await curl(
      "--data-urlencode",
      `username=${service.admin.username}`,
      "--data-urlencode",
      `password=${service.admin.password}`,
      `${service.url}/auth/login`,
    );
    expect(body).toEqual(tokens);
    const bearer = `Authorization: Bearer ${String(body["access_token"])}`;
    const me = await curl("-H", bearer, `${service.url}/auth/me`);
    expect(me.body).toMatchObject({ username: "admin" });
  });

  test("signs in with JSON, and with -u for the client", async () => {
    const json = JSON.stringify(service.admin);
    const answer = await curl(
      "-H",
      "Content-Type: application/json",
      "-d",
      json,
      `${service.url}/auth/login`,
    );
    expect(answer.body).toEqual(tokens);
    const form = "username=admin&password=correct+horse+battery";
    expect((await curl("-u", "countersign:", "-d", form, `${service.url}/auth/login`)).body).toEqual(tokens);
  });

  test("is told of a wrong password", async () => {
    const answer = await curl("-d", "username=admin&password=x", `${service.url}/auth/login`);
    expect(answer).toMatchObject({
      body: { reason: "invalid_credentials", error: "invalid_grant" },
      end: `401 ${version} application/problem+json`,
    });
  });
});
