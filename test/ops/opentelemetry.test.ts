import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { requireTokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from "../_harness/otlp-receiver.ts";
import { eventually } from "../_harness/eventually.ts";
import { root, startService, type TestService } from "../_harness/service.ts";
import { sharedRedisUrl } from "../_harness/shared-stores.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const parentId = "00f067aa0ba902b7";

/** The folder of its own that deploy/telemetry/telemetry.mjs speaks of, with this version of the API beside the SDK. */
function layOut(folder: string, apiPackage: string): string {
  const modules = join(root, "node_modules");
  mkdirSync(join(folder, "node_modules/@opentelemetry"), { recursive: true });
  const copy = (from: string, to: string) => {
    execFileSync("cp", ["-R", join(modules, from), join(folder, "node_modules/@opentelemetry", to)]);
  };
  copy(apiPackage, "api");
  for (const name of readdirSync(join(modules, "@opentelemetry"))) {
    if (name !== "api") copy(`@opentelemetry/${name}`, name);
  }
  copyFileSync(join(root, "deploy/telemetry/telemetry.mjs"), join(folder, "telemetry.mjs"));
  return join(folder, "telemetry.mjs");
}

describe.each([
  ["the API's version that the service has", "@opentelemetry/api"],
  ["a newer version of the API", "opentelemetry-api-next"],
])("with the documented SDK and %s", (_name, apiPackage) => {
  let folder: string;
  let receiver: OtlpReceiver;
  let service: TestService;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "countersign-telemetry-"));
    receiver = await startOtlpReceiver();
    service = await startService({
      env: {
        NODE_OPTIONS: `--import=${layOut(folder, apiPackage)}`,
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_BSP_SCHEDULE_DELAY: "200",
        REDIS_URL: sharedRedisUrl(),
        REDIS_KEY_PREFIX: `${folder}:`,
      },
    });
  }, 120_000);
  afterAll(async () => {
    await service.stop();
    await receiver.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const headers = { traceparent: `00-${traceId}-${parentId}-01` };
  const call = (rpc: string, input: Record<string, string>) =>
    api(service).rest.call({ rpc, input, headers });

  const serverSpan = (name: string) => receiver.spans().find((span) => span.name === name);
  const below = (span: ReceivedSpan | undefined) =>
    receiver.spans().filter(({ parentSpanId }) => parentSpanId === span?.spanId);

  test("a login is one span of the caller's trace, and its hash, statements and commands are below it", async () => {
    const { refresh_token } = requireTokens(await call("Login", service.admin));
    const refreshed = await call("Refresh", { refresh_token });
    expect(refreshed.json["token_type"]).toBe("bearer");
    await eventually(() => serverSpan("countersign.v1.AuthService/Refresh") !== undefined, 60_000);

    const login = serverSpan("countersign.v1.AuthService/Login");
    expect(login).toMatchObject({
      traceId,
      parentSpanId: parentId,
      kind: 2,
      service: "countersign",
      attributes: {
        "http.request.method": "POST",
        "rpc.system.name": "rest",
        "http.response.status_code": 200,
      },
    });
    const steps = below(login);
    expect(new Set(steps.map((span) => span.traceId))).toEqual(new Set([traceId]));
    expect(steps.filter(({ name }) => name.startsWith("hash "))).toMatchObject([
      { name: "hash argon2id", kind: 1, status: 0, events: ["started"] },
    ]);
    const statements = steps.filter(({ name }) => name.startsWith("postgresql "));
    expect(statements.map(({ attributes }) => attributes["db.query.summary"])).toEqual(
      expect.arrayContaining(["begin", "commit"]),
    );
    expect(statements.length).toBeGreaterThan(3);
    for (const { name, kind, attributes } of statements) {
      const summary = String(attributes["db.query.summary"]);
      expect({ name, kind, attributes }).toEqual({
        name: `postgresql ${summary}`,
        kind: 3,
        attributes: {
          "db.system.name": "postgresql",
          "db.query.summary": expect.stringMatching(/^[a-z0-9.-]+$/),
        },
      });
    }
    expect(steps.map(({ name }) => name)).toContain("redis gcra-charge");
    expect(below(serverSpan("countersign.v1.AuthService/Refresh")).map(({ name }) => name)).toContain(
      "redis advance",
    );
    for (const step of steps) {
      expect(step.startNs >= login!.startNs && step.endNs <= login!.endNs).toBe(true);
    }
  });

  test("what nobody asked for is in no trace, and no span holds a value", () => {
    const roots = receiver.spans().filter(({ parentSpanId }) => parentSpanId === null);
    expect(roots.filter(({ kind }) => kind !== 2)).toEqual([]);
    const words = [
      service.admin.password,
      `"${service.admin.username}"`,
      "csr_",
      "argon2id$",
      "SELECT ",
      "select ",
    ];
    expect(words.filter((word) => receiver.raw().includes(word))).toEqual([]);
  });

  test("a refused login is no failure of the service, and the last spans come with an orderly end", async () => {
    await call("Login", { username: service.admin.username, password: "wrong wrong wrong" });
    expect(await service.end("SIGTERM")).toBe(0);
    const refused = receiver
      .spans()
      .find(({ attributes }) => attributes["error.type"] === "invalid_credentials");
    expect(refused).toMatchObject({ kind: 2, status: 0, name: "countersign.v1.AuthService/Login" });
    expect(below(refused).map(({ name }) => name)).toContain("hash argon2id");
  });
});
