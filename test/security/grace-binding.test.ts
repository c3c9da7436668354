import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { sessionIdOf, type Tokens } from "../_harness/answer.ts";
import { eventually } from "../_harness/eventually.ts";
import { longTimeoutMs } from "../_harness/figures.ts";
import * as given from "../_harness/given.ts";
import { readRefreshEvents, readSessionCounts } from "../_harness/rows/audit.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSessionStores, type SessionStores, storeEnv, storeKinds } from "../_harness/session-stores.ts";

interface Place {
  readonly address: string;
  readonly program: string;
}

const home: Place = { address: "198.51.100.7", program: "browser" };

interface Answer {
  readonly status: number;
  readonly token: string | null;
}

async function refreshFrom(url: string, token: string, { address, program }: Place): Promise<Answer> {
  const answer = await fetch(`${url}/auth/refresh`, {
    method: "POST",
    headers: { "x-forwarded-for": address, "user-agent": program },
    body: new URLSearchParams({ refresh_token: token }),
  });
  const { refresh_token = null } = (await answer.json()) as { refresh_token?: string };
  return { status: answer.status, token: refresh_token };
}

describe.each(storeKinds)("over %s:", (kind) => {
  let bound: TestService;
  let free: TestService;
  let stores: SessionStores;
  beforeAll(async () => {
    const env = { ...storeEnv(kind), TRUSTED_PROXIES: "127.0.0.1" };
    free = await startService({ env });
    bound = await startService({
      env: { ...env, DATABASE_URL: free.databaseUrl, REFRESH_GRACE_BINDING: "address" },
    });
    stores = await openSessionStores(free.databaseUrl, env);
  }, longTimeoutMs);
  afterAll(async () => {
    await stores.close();
    await bound.stop();
    await free.stop();
  });

  const begin = (): Promise<Tokens> => given.session(free, { sql: stores.sql });

  const counted = (sid: string) => readSessionCounts(stores.sql, sid);

  test("a late answer from elsewhere is not given where the grace is bound, and the session ends", async () => {
    for (const [service, place, status] of [
      [bound, { ...home, address: "203.0.113.9" }, 401],
      [bound, home, 200],
      [free, { ...home, address: "203.0.113.9" }, 200],
    ] as const) {
      const first = await begin();
      const sid = sessionIdOf(first);
      await refreshFrom(service.url, first.refresh_token, home);
      await stores.ageRotations(sid, 61);
      expect((await refreshFrom(service.url, first.refresh_token, place)).status).toBe(status);
      expect(await stores.readSession(sid)).toEqual({ generation: 1n, ended: status === 401 });
      const rows = await readRefreshEvents(stores.sql, sid);
      const late = { type: "refresh.late_answer", reason: place === home ? null : "elsewhere" };
      expect(rows).toEqual([status === 401 ? { type: "refresh.reused", reason: "reused" } : late]);
    }
  });

  test.each<[string, Place]>([
    ["another address", { ...home, address: "203.0.113.9" }],
    ["another IPv6 network", { ...home, address: "2001:db8:1:2::7" }],
    ["another program", { ...home, program: "curl" }],
  ])(
    "a replay within the grace from %s is refused where the grace is bound, and the session goes on",
    async (_, elsewhere) => {
      const first = await begin();
      const rotated = await refreshFrom(bound.url, first.refresh_token, home);
      expect(rotated.status).toBe(200);
      expect(await refreshFrom(bound.url, first.refresh_token, elsewhere)).toEqual({
        status: 401,
        token: null,
      });
      expect(await refreshFrom(bound.url, first.refresh_token, home)).toEqual(rotated);
      // The current token is good from anywhere.
      expect((await refreshFrom(bound.url, rotated.token ?? "", elsewhere)).status).toBe(200);
      const sid = sessionIdOf(first);
      await eventually(async () => (await counted(sid)).length > 0, 30_000);
      expect(await counted(sid)).toEqual([
        { type: "refresh.replayed_elsewhere", reason: "refused", count: 1 },
      ]);
    },
  );

  test("an IPv6 host may change its own half of the address", async () => {
    const first = await begin();
    const rotated = await refreshFrom(bound.url, first.refresh_token, {
      ...home,
      address: "2001:db8:1:2::7",
    });
    const moved = { ...home, address: "2001:db8:1:2:aaaa::1" };
    expect(await refreshFrom(bound.url, first.refresh_token, moved)).toEqual(rotated);
    expect(await counted(sessionIdOf(first))).toEqual([]);
  });

  test("a replay within the grace from elsewhere is answered where the grace is not bound, and the audit trail tells of it", async () => {
    const first = await begin();
    const rotated = await refreshFrom(free.url, first.refresh_token, home);
    for (let count = 0; count < 3; count += 1) {
      expect(await refreshFrom(free.url, first.refresh_token, { ...home, program: "curl" })).toEqual(rotated);
    }
    expect(await refreshFrom(free.url, first.refresh_token, home)).toEqual(rotated);
    const sid = sessionIdOf(first);
    const total = async () => (await counted(sid)).reduce((sum, { count }) => sum + count, 0);
    await eventually(async () => (await total()) === 3, 30_000);
    const [event] = await counted(sid);
    expect(event).toMatchObject({ type: "refresh.replayed_elsewhere", reason: null });
  });
});
