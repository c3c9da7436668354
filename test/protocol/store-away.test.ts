import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createCallers } from "../_harness/callers.ts";
import { eventually } from "../_harness/eventually.ts";
import * as given from "../_harness/given.ts";
import { createTestDatabase, startTestCluster, type TestCluster } from "../_harness/postgres.ts";
import { bearerOf, send, sendForm } from "../_harness/rest.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { untilPostgresServes } from "../_harness/store-return.ts";

let cluster: TestCluster;
let service: TestService;
beforeAll(async () => {
  cluster = await startTestCluster();
  const database = await createTestDatabase(cluster);
  service = await startService({ env: { DATABASE_URL: database.url, DATABASE_TIMEOUT: "1s" } });
}, 60_000);
afterAll(async () => {
  await service.stop();
  await cluster.stop();
});

const becomes = (status: number, url: string): Promise<void> =>
  eventually(async () => (await send(url)).status === status, 10_000, 100);

test("while PostgreSQL is away every protocol says unavailable and when to come back; then all is well without a restart", async () => {
  const user = await given.user(service, { username: "ada" });
  const { access_token } = await given.session(service, { user });
  const headers = bearerOf(access_token);
  const callers = createCallers(service.url);

  await cluster.pause();
  for (const call of [
    { rpc: "Login", input: given.credentialsOf(user) } as const,
    { rpc: "GetCurrentUser", headers } as const,
  ]) {
    const outcomes = await Promise.all(
      callers.map(async (caller) => [caller.name, await caller.call(call)] as const),
    );
    for (const [name, outcome] of outcomes) {
      expect({ [name]: outcome }).toEqual({
        [name]: {
          message: null,
          failure: {
            reason: "unavailable",
            code: "UNAVAILABLE",
            detail: "The user store cannot be reached.",
            fields: [],
            retryAfterMs: 1000,
          },
          status: name.startsWith("REST") ? 503 : null,
        },
      });
    }
  }
  const answer = await sendForm(`${service.url}/auth/login`, given.credentialsOf(user), {
    "x-request-id": "away",
  });
  expect(answer.json).toEqual({
    type: `http://localhost:${service.port}/problems/unavailable`,
    title: "Service unavailable",
    status: 503,
    detail: "The user store cannot be reached.",
    reason: "unavailable",
    request_id: "away",
    error: "temporarily_unavailable",
    error_description: "The user store cannot be reached.",
  });
  expect(answer.headers.get("retry-after")).toBe("1");
  expect(JSON.stringify(service.logs())).not.toContain(user.password);
  // Every call fails: what each costs the log is bounded, and says what is wrong all the same.
  const failed = service.logs().filter(({ msg }) => msg === "request failed");
  expect(failed.length).toBeGreaterThan(10);
  expect(failed.map((line) => JSON.stringify(line).length).filter((size) => size > 1_024)).toEqual([]);
  expect(failed).toContainEqual(
    expect.objectContaining({ err: expect.objectContaining({ cause: expect.any(Object) }) }),
  );

  // What asks no store is answered all the same.
  expect((await send(`${service.url}/.well-known/jwks.json`)).status).toBe(200);
  await becomes(503, `${service.url}/readyz`);
  await becomes(503, `${service.opsUrl}/readyz`);
  expect((await send(`${service.url}/livez`)).status).toBe(200);
  expect((await send(`${service.opsUrl}/livez`)).status).toBe(200);

  await cluster.start();
  await becomes(200, `${service.url}/readyz`);
  await untilPostgresServes(service.url);
  await given.session(service, { user });
  expect((await send(`${service.url}/auth/me`, { headers })).status).toBe(200);
  for (const caller of callers) {
    const { message } = await caller.call({ rpc: "GetCurrentUser", headers });
    expect({ [caller.name]: message }).toMatchObject({ [caller.name]: { username: "ada" } });
    caller.close();
  }
}, 60_000);
