import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { api, type LoginAttempt } from "../_harness/api.ts";
import { eventually } from "../_harness/eventually.ts";
import { longTimeoutMs, printFigures, sizeOf } from "../_harness/figures.ts";
import * as given from "../_harness/given.ts";
import { addressOf, countStatuses, knowDevice, trustingLoopback } from "../_harness/guessing.ts";
import { sendJson } from "../_harness/rest.ts";
import { sumFrom } from "../_harness/rows/audit.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { textOf } from "../_harness/text-of.ts";
import { openSql } from "../_harness/sql.ts";
import { productionThrottles } from "../_harness/throttles.ts";

let service: TestService;
beforeAll(async () => {
  service = await startService({
    env: { ...productionThrottles, ...trustingLoopback, HASH_QUEUE_MAX: "10000" },
  });
}, longTimeoutMs);
afterAll(() => service.stop());

const login = (attempt: LoginAttempt) => api(service).rest.login(attempt);

/** So many wrong passwords on one account, a few at a time, each from the next address. */
async function attack(username: string, guesses: number, addressAt: (guess: number) => string) {
  const answers: Awaited<ReturnType<typeof login>>[] = [];
  const lanes = 8;
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      for (let guess = lane; guess < guesses; guess += lanes) {
        answers.push(await login({ username, address: addressAt(guess) }));
      }
    }),
  );
  return answers;
}

describe("an attacker who knows the username, has 1,000 addresses and never stops", () => {
  test(
    "keeps out neither the owner on a known device, for a single login, nor an address that has not failed",
    async () => {
      const owner = await given.user(service, { username: "owner" });
      const device = await knowDevice(service.url, owner, "198.51.100.1");
      const addresses = sizeOf(100, 1000);
      const owned = sizeOf(8, 30);
      const stop = new AbortController();
      const seen: number[] = [];
      const attackers = Array.from({ length: 8 }, async (_, lane) => {
        for (let guess = lane; !stop.signal.aborted; guess += 8) {
          const { status } = await login({ username: "owner", address: addressOf(guess % addresses) });
          seen.push(status);
        }
      });
      try {
        // Until the account's own limit is used up.
        while (seen.filter((status) => status === 429).length < addresses / 2) {
          await login({ username: "owner", address: "203.0.113.200" });
        }
        for (let round = 0; round < owned; round += 1) {
          // The known device, also behind an address that the attacker uses.
          const address = round % 2 === 0 ? "198.51.100.1" : addressOf(round);
          expect(await login({ ...owner, address, deviceToken: device })).toMatchObject({ status: 200 });
          // A new address each time, without a device.
          const fresh = await login({ ...owner, address: `2001:db8:${round.toString(16)}::1` });
          expect(fresh).toMatchObject({ status: 200 });
          await waitForDevice();
        }
      } finally {
        stop.abort();
        await Promise.all(attackers);
      }
      const counts = countStatuses(seen.map((status) => ({ status })));
      printFigures("attack", {
        addresses,
        guesses: seen.length,
        checked: counts[401] ?? 0,
        refused: counts[429] ?? 0,
      });
      // Ten at once on each address, fifty on the account, and one for each address.
      expect(counts[401] ?? 0).toBeLessThanOrEqual(50 + addresses + 5);
      expect(Object.keys(counts)).toEqual(["401", "429"]);
    },
    longTimeoutMs,
  );

  async function waitForDevice(): Promise<void> {
    // sleep: a user's known devices have ten logins a minute that nothing else binds.
    await sleep(sizeOf(0, 6_000));
  }
});

describe("with wrong passwords", () => {
  test("a name that does not exist is slowed at the same count and answered alike, byte for byte", async () => {
    await given.user(service, { username: "exists" });
    const see = async (username: string, address: string): Promise<string[]> => {
      const answers: string[] = [];
      for (let guess = 0; guess < 13; guess += 1) {
        const { status, headers, text } = await login({ username, address });
        const fields = [...headers].filter(([name]) => name !== "date");
        // Two runs are not at the same microsecond.
        const shown = JSON.stringify([status, fields, text])
          .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "ID")
          .replace(/(retry-after","|t=)\d+/g, "$1SECONDS")
          .replace(/;r=(1[01]\d)/g, ";r=MANY");
        answers.push(shown);
      }
      return answers;
    };
    const known = await see("exists", "192.0.2.10");
    const unknown = await see("exists-not", "192.0.2.11");
    expect(unknown).toEqual(known);
    const statuses = known.map((answer) => answer.slice(1, 4)).join(" ");
    expect(statuses).toBe(`${"401 ".repeat(10)}429 429 429`);
  });

  test("the answer says how long to wait, over HTTP and gRPC alike", async () => {
    await attack("slowed", 10, () => "192.0.2.20");
    const { status, headers, json } = await login({ username: "slowed", address: "192.0.2.20" });
    expect(status).toBe(429);
    expect(json).toMatchObject({ reason: "rate_limited", error: "slow_down", status: 429 });
    // Ten in fifteen minutes: one in ninety seconds.
    const seconds = Number(headers.get("retry-after"));
    expect(seconds).toBeGreaterThan(60);
    expect(seconds).toBeLessThanOrEqual(90);
    expect(headers.get("ratelimit-policy")).toBe(
      '"login-address";q=120;w=60, "failures-account-address";q=10;w=900',
    );
    expect(headers.get("ratelimit")).toMatch(
      /^"login-address";r=\d+;t=\d+, "failures-account-address";r=0;t=\d+$/,
    );
    const rpc = await sendJson(
      `${service.url}/countersign.v1.AuthService/Login`,
      { username: "slowed", password: "wrong" },
      { "x-forwarded-for": "192.0.2.20" },
    );
    expect(rpc.json).toMatchObject({
      code: "resource_exhausted",
      details: [
        { debug: { reason: "rate_limited", domain: "countersign" } },
        { type: "google.rpc.RetryInfo", debug: { retryDelay: expect.stringMatching(/^\d+(\.\d+)?s$/) } },
      ],
    });
  });

  test("no account is locked: the right password from elsewhere passes at once", async () => {
    const user = await given.user(service, { username: "not-locked" });
    await attack(user.username, 80, (guess) => addressOf(5000 + (guess % 10)));
    expect(await login({ ...user, address: "198.51.100.77" })).toMatchObject({ status: 200 });
  });
});

describe("the audit trail", () => {
  // sleep: at full size the attack has more addresses than are told apart between two flushes, of which there is one a second.
  beforeAll(() => sleep(2_500));

  test("has one counted row of the refused attempts of an address on an account, without the name", async () => {
    const username = "typed-by-mistake-Secret1";
    const answers = await attack(username, 25, () => "192.0.2.60");
    const refused = countStatuses(answers)[429] ?? 0;
    const sql = await openSql(service.databaseUrl);
    const count = () => sumFrom(sql, "login.throttled", "192.0.2.60");
    try {
      await eventually(async () => (await count())?.count === refused);
      const found = await count();
      // Two where the minute has just turned.
      expect(found?.rows).toBeLessThanOrEqual(2);
      expect(found?.text).toContain("failures_account_address");
      expect(found?.text).not.toContain("typed-by-mistake");
    } finally {
      await sql.end();
    }
  });
});

describe("a right password", () => {
  test("costs nothing: the limits are as before", async () => {
    const user = await given.user(service, { username: "refunded" });
    const address = "192.0.2.30";
    for (let round = 0; round < 25; round += 1) {
      expect(await login({ ...user, address })).toMatchObject({ status: 200 });
    }
    const answers = await attack(user.username, 12, () => address);
    expect(countStatuses(answers)).toEqual({ 401: 10, 429: 2 });
  });

  test("costs nothing where the account is not active, either", async () => {
    const user = await given.user(service, { username: "suspended", status: "suspended" });
    const address = "192.0.2.31";
    for (let round = 0; round < 12; round += 1) {
      expect(await login({ ...user, address })).toMatchObject({ status: 403 });
    }
  });
});

describe("from one address", () => {
  const failures = 5;
  const logins = 40;
  let narrow: TestService;
  beforeAll(async () => {
    const limits = {
      THROTTLE_FAILURES_ADDRESS: `${failures}/30d`,
      THROTTLE_LOGIN_ADDRESS: `${logins}/30d`,
    };
    narrow = await startService({ env: { ...productionThrottles, ...trustingLoopback, ...limits } });
  }, longTimeoutMs);
  afterAll(() => narrow.stop());

  test("one password tried on many accounts is slowed, on accounts that never failed too; known devices are not", async () => {
    const owner = await given.user(narrow, { username: "sprayed" });
    const prefix = "2001:db8:feed:1";
    const deviceToken = await knowDevice(narrow.url, owner, `${prefix}::1`);
    const answers = await Promise.all(
      Array.from({ length: 2 * failures }, (_, index) =>
        api(narrow).rest.login({ username: `account-${index}`, address: `${prefix}:${index}::2` }),
      ),
    );
    expect(countStatuses(answers)).toEqual({ 401: failures, 429: failures });
    const fromThere = { ...owner, address: `${prefix}::1` };
    expect(await api(narrow).rest.login(fromThere)).toMatchObject({ status: 429 });
    expect(await api(narrow).rest.login({ ...fromThere, deviceToken })).toMatchObject({ status: 200 });
    const fromElsewhere = { ...owner, address: "2001:db8:feed:2::1" };
    expect(await api(narrow).rest.login(fromElsewhere)).toMatchObject({ status: 200 });
  });

  test("that has used up its logins a known device is let in, and nobody else", async () => {
    const owner = await given.user(narrow, { username: "behind-it" });
    const other = await given.user(narrow, { username: "with-a-foreign-token" });
    const address = "192.0.2.40";
    const deviceToken = await knowDevice(narrow.url, owner, address);
    for (let attempt = 0; attempt < logins; attempt += 1) {
      await api(narrow).rest.login({ username: "anybody", address });
    }
    const stranger = await api(narrow).rest.login({ ...owner, address });
    expect([stranger.status, stranger.headers.get("ratelimit")]).toEqual([
      429,
      expect.stringMatching(/^"login-address";r=0;/),
    ]);
    expect(await api(narrow).rest.login({ ...owner, address, deviceToken })).toMatchObject({ status: 200 });
    expect(await api(narrow).rest.login({ ...other, address, deviceToken })).toMatchObject({ status: 429 });
  });
});

describe("a change of password", () => {
  test("is limited as a login: ten wrong ones by a session, then as many as a stranger has", async () => {
    const user = await given.user(service, { username: "changing" });
    const address = "192.0.2.50";
    const { json } = await login({ ...user, address });
    const headers = { authorization: `Bearer ${textOf(json["access_token"])}`, "x-forwarded-for": address };
    const change = (current: string) =>
      sendJson(
        `${service.url}/auth/change-password`,
        { current_password: current, new_password: "another horse battery" },
        headers,
      );
    const answers = await Promise.all(Array.from({ length: 25 }, () => change("wrong")));
    expect(countStatuses(answers)).toEqual({ 422: 20, 429: 5 });
    // What a thief of an access token has used up, another device of the owner has not.
    expect(await login({ ...user, address: "198.51.100.50" })).toMatchObject({ status: 200 });
  });
});
