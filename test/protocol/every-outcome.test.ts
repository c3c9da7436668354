import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { getOption } from "@bufbuild/protobuf";
import { type Reason, reasons } from "../../src/errors/reasons.ts";
import { oauth_endpoint, success_status } from "../../src/gen/countersign/v1/options_pb.ts";
import { type Caller, createCaller, createCallers } from "../_harness/callers.ts";
import { retry } from "../_harness/eventually.ts";
import { longTimeoutMs } from "../_harness/figures.ts";
import * as given from "../_harness/given.ts";
import type { Outcome } from "../_harness/outcome.ts";
import { createTestDatabase, startTestCluster } from "../_harness/postgres.ts";
import { sendForm } from "../_harness/rest.ts";
import { rpcOf, services } from "../_harness/rest-call.ts";
import { changeUser } from "../_harness/rows/users.ts";
import { startService } from "../_harness/service.ts";
import { withSql } from "../_harness/sql.ts";
import { limitNames } from "../_harness/throttles.ts";
import { readDeclaredReasons } from "./declared-reasons.ts";
import { auditServiceOutcomes } from "./outcomes/audit-service.ts";
import { authServiceOutcomes } from "./outcomes/auth-service.ts";
import { keyServiceOutcomes } from "./outcomes/key-service.ts";
import { clientServiceOutcomes } from "./outcomes/client-service.ts";
import type { OutcomeCase, PreparedCall, ServiceOutcomes, Setting } from "./outcomes/outcome-case.ts";
import { roleServiceOutcomes } from "./outcomes/role-service.ts";
import { tokenServiceOutcomes } from "./outcomes/token-service.ts";
import { userServiceOutcomes } from "./outcomes/user-service.ts";
import { openWorld, type World } from "./outcomes/world.ts";

// Every outcome of every RPC, by every protocol: the same message, or the same reason, code and details.

const outcomes: Readonly<Record<string, ServiceOutcomes>> = {
  "countersign.v1.AuditService": auditServiceOutcomes,
  "countersign.v1.AuthService": authServiceOutcomes,
  "countersign.v1.KeyService": keyServiceOutcomes,
  "countersign.v1.ClientService": clientServiceOutcomes,
  "countersign.v1.RoleService": roleServiceOutcomes,
  "countersign.v1.TokenService": tokenServiceOutcomes,
  "countersign.v1.UserService": userServiceOutcomes,
};

describe("the contract", () => {
  const declared = readDeclaredReasons();

  test("has outcomes for every RPC of every service, and for nothing else", () => {
    const named = (of: Iterable<readonly [string, Iterable<string>]>) =>
      Object.fromEntries([...of].map(([service, rpcs]) => [service, [...rpcs].toSorted()]));
    expect(named(Object.entries(outcomes).map(([name, rpcs]) => [name, Object.keys(rpcs)]))).toEqual(
      named([...declared].map(([name, rpcs]) => [name, rpcs.keys()])),
    );
    expect(services.map((service) => service.typeName).toSorted()).toEqual(Object.keys(outcomes).toSorted());
  });

  test.each(
    Object.entries(outcomes).flatMap(([service, rpcs]) => Object.keys(rpcs).map((rpc) => [service, rpc])),
  )(
    "%s.%s: a success and every declared reason has a case, and no other reason",
    (service = "", rpc = "") => {
      const expected = ["ok", ...(declared.get(service)?.get(rpc) ?? [])];
      expect(expected.filter((reason) => reason !== "ok" && !Object.hasOwn(reasons, reason))).toEqual([]);
      const covered = new Set(outcomes[service]?.[rpc]?.map(({ outcome }) => outcome));
      expect([...covered].toSorted()).toEqual(expected.toSorted());
    },
  );
});

interface NamedCase {
  readonly rpc: string;
  readonly name: string;
  readonly which: OutcomeCase;
}

function casesOf(setting: Setting): NamedCase[] {
  return Object.values(outcomes).flatMap((rpcs) =>
    Object.entries(rpcs).flatMap(([rpc, cases]) =>
      cases
        .filter((each) => (each.setting ?? "usual") === setting)
        .map((which) => {
          const { outcome, what } = which;
          return { rpc, which, name: `${rpc} is ${outcome}${what === undefined ? "" : `: ${what}`}` };
        }),
    ),
  );
}

async function callBy(caller: Caller, rpc: string, { meanwhile, ...call }: PreparedCall): Promise<Outcome> {
  const [outcome] = await Promise.all([caller.call({ rpc, ...call }), meanwhile?.()]);
  return outcome;
}

function expectSame(
  rpc: string,
  which: OutcomeCase,
  callers: readonly Caller[],
  found: readonly Outcome[],
): void {
  const byName = (make: (caller: Caller, index: number) => unknown): unknown =>
    Object.fromEntries(callers.map((caller, index) => [caller.name, make(caller, index)]));
  const status = statusOf(rpc, which.outcome);
  const failure = which.outcome === "ok" ? null : failureOf(which.outcome, which);
  const message = which.outcome === "ok" ? which.message : null;
  expect(byName((_caller, index) => found[index])).toEqual(
    byName(({ name }) => ({ message, failure, status: name.startsWith("REST") ? status : null })),
  );
  const first = found[0];
  const words = (each: Outcome | undefined) => (which.ownWords === true ? null : each?.failure?.detail);
  expect(new Set(found.map(words))).toEqual(new Set([words(first)]));
  const members = (each: Outcome | undefined) => JSON.stringify(Object.keys(each?.message ?? {}));
  expect(new Set(found.map(members))).toEqual(new Set([members(first)]));
}

/** The reasons that say when to come back. */
const waits: ReadonlySet<Reason> = new Set(["overloaded", "rate_limited", "unavailable"]);

function failureOf(reason: Reason, { fields = [] }: OutcomeCase): unknown {
  return {
    reason,
    code: reasons[reason].code,
    detail: expect.stringMatching(/^[A-Z].*\.$/),
    fields,
    // Seconds over REST, as Retry-After has them, where others have milliseconds.
    retryAfterMs: waits.has(reason) ? expect.any(Number) : null,
  };
}

function statusOf(rpc: string, outcome: "ok" | Reason): number {
  const method = rpcOf(rpc);
  if (outcome === "ok") {
    return getOption(method, success_status) || (method.output.fields.length === 0 ? 204 : 200);
  }
  return getOption(method, oauth_endpoint) ? reasons[outcome].oauthStatus : reasons[outcome].status;
}

describe("where all is well", () => {
  let world: World;
  let callers: readonly Caller[];
  beforeAll(async () => {
    world = await openWorld(await startService({ env: { BUILTIN_CLIENT_SCOPES: "profile mail" } }));
    callers = createCallers(world.service.url);
  }, 60_000);
  afterAll(async () => {
    for (const caller of callers) caller.close();
    await world.close();
    await world.service.stop();
  });

  test.each(casesOf("usual").map((each) => [each.name, each] as const))(
    "%s",
    async (_name, { rpc, which }) => {
      const call = async (caller: Caller) => callBy(caller, rpc, await which.prepare(world));
      const found: Outcome[] = [];
      if (which.oneByOne === true) for (const caller of callers) found.push(await call(caller));
      else found.push(...(await Promise.all(callers.map(call))));
      expectSame(rpc, which, callers, found);
    },
    60_000,
  );
});

function atOnce(callers: readonly Caller[], which: OutcomeCase, world: World): Promise<PreparedCall[]> {
  return Promise.all(callers.map(async () => which.prepare(world)));
}

async function inTurn(callers: readonly Caller[], which: OutcomeCase, world: World): Promise<PreparedCall[]> {
  const calls: PreparedCall[] = [];
  for (const _caller of callers) calls.push(await which.prepare(world));
  return calls;
}

/** Makes the calls of every case while something is wrong that is costly to bring about. */
async function expectOutcomesWhile(world: World, setting: Setting, begin: () => Promise<void>) {
  const callers = createCallers(world.service.url);
  const cases = casesOf(setting);
  const prepared: PreparedCall[][] = [];
  for (const { which } of cases) {
    // A service that is to be overloaded takes no two logins at once.
    prepared.push(
      setting === "overloaded" ? await inTurn(callers, which, world) : await atOnce(callers, which, world),
    );
  }
  await begin();
  const found = await Promise.all(
    cases.map(({ rpc }, index) =>
      Promise.all(callers.map((caller, i) => callBy(caller, rpc, prepared[index]?.[i] ?? {}))),
    ),
  );
  for (const caller of callers) caller.close();
  expect(cases.length).toBeGreaterThan(0);
  for (const [index, { rpc, which }] of cases.entries()) expectSame(rpc, which, callers, found[index] ?? []);
}

test(
  "where PostgreSQL is away, every RPC that needs it is unavailable, by every protocol",
  async () => {
    const cluster = await startTestCluster();
    try {
      const { url } = await createTestDatabase(cluster);
      const service = await startService({ env: { DATABASE_URL: url, DATABASE_TIMEOUT: "10s" } });
      const world = await openWorld(service);
      try {
        await expectOutcomesWhile(world, "storeless", async () => {
          await world.close();
          await cluster.pause();
        });
      } finally {
        await world.close();
        await service.stop();
      }
    } finally {
      await cluster.stop();
    }
  },
  2 * longTimeoutMs,
);

// One request a day: the next that comes is refused.
const tightThrottles = Object.fromEntries(
  limitNames.filter((name) => name.endsWith("_ADDRESS")).map((name) => [name, "1/1d"]),
);

test(
  "where an address has used its limits up, every RPC that has one says so alike, by every protocol",
  async () => {
    const service = await startService({ env: tightThrottles });
    const world = await openWorld(service);
    try {
      await expectOutcomesWhile(world, "throttled", async () => {
        const caller = createCaller(service.url, "REST JSON over HTTP/1.1");
        for (const { rpc, which } of casesOf("throttled")) {
          await callBy(caller, rpc, await which.prepare(world));
        }
        caller.close();
      });
    } finally {
      await world.close();
      await service.stop();
    }
  },
  longTimeoutMs,
);

// A hash of many passes: nobody's, and whoever tries a password against it holds the only place for long.
const slowHash = `$argon2id$v=19$m=65536,t=64,p=1$${"A".repeat(22)}$${"A".repeat(43)}`;
const holdWithinMs = 60_000;

/** Takes the only place for a password hash, and keeps it. */
async function holdPlace({ service }: World, signal: AbortSignal): Promise<void> {
  const { id, username } = await given.user(service);
  await withSql(service.databaseUrl, (sql) => changeUser(sql, { id }, { password_hash: slowHash }));
  const body = new URLSearchParams({ username, password: "anything" });
  const hold = async (): Promise<void> => {
    // Refused is who comes while another's hash runs: it tries again.
    const answer = await fetch(`${service.url}/auth/login`, { method: "POST", body, signal });
    if (answer.status === 503) await hold();
  };
  hold().catch(() => undefined);
  await retry(holdWithinMs, async () => {
    const { status } = await sendForm(`${service.url}/auth/login`, service.admin);
    return status === 503 ? true : null;
  });
}

test(
  "where all places for password hashes are taken, every RPC that needs one is overloaded, by every protocol",
  async () => {
    const service = await startService({ env: { HASH_CONCURRENCY: "1", HASH_QUEUE_MAX: "0" } });
    const world = await openWorld(service);
    const leaving = new AbortController();
    try {
      await expectOutcomesWhile(world, "overloaded", () => holdPlace(world, leaving.signal));
    } finally {
      leaving.abort();
      await world.close();
      // In order it would wait for the hash.
      await service.end("SIGKILL");
      await service.stop();
    }
  },
  2 * longTimeoutMs,
);
