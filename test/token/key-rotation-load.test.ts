import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from "jose";
import type { Client } from "pg";
import { requireTokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { eventually } from "../_harness/eventually.ts";
import { longTimeoutMs, printFigures, sizeOf } from "../_harness/figures.ts";
import { type Fleet, startFleet } from "../_harness/fleet.ts";
import * as given from "../_harness/given.ts";
import { ageKeys } from "../_harness/rows/signing-keys.ts";
import { openSql } from "../_harness/sql.ts";

// Section 5 of the contract: the JWK set may be cached as Cache-Control says, and no token is ever refused.
// The plan of the keys is in minutes, so the test lets time pass faster: for the database, by making every time
// of the keys older, and for the verifiers, by the same clock.

const rotations = sizeOf(3, 15);
const verifiersPerInstance = 6;
const clients = 4;
/** How much passes at a time, in seconds, and how long that takes. */
const stepSeconds = 20;
const stepMs = 100;

let fleet: Fleet;
let sql: Client;
let now = 0;
beforeAll(async () => {
  fleet = await startFleet(2);
  sql = await openSql(fleet.databaseUrl);
}, 120_000);
afterAll(async () => {
  await sql.end();
  await fleet.stop();
});

async function passTime(): Promise<void> {
  // sleep: the load runs on between two steps of time.
  await sleep(stepMs);
  await ageKeys(sql, stepSeconds);
  now += stepSeconds;
}

/** Waits until every instance publishes so many keys. */
async function allPublish(count: number): Promise<void> {
  for (const url of fleet.urls()) {
    await eventually(
      async () =>
        ((await (await fetch(`${url}/.well-known/jwks.json`)).json()) as JSONWebKeySet).keys.length === count,
      longTimeoutMs,
      50,
    );
  }
}

/** Keeps a JWK set for exactly as long as its Cache-Control allows, and asks for it no sooner, whatever it meets. */
function createVerifier(url: string, offsetSeconds: number): (token: string) => Promise<void> {
  let freshUntil = -Infinity;
  let keySet: Promise<ReturnType<typeof createLocalJWKSet>> | null = null;
  const fetchKeys = async () => {
    const askedAt = now;
    const answer = await fetch(`${url}/.well-known/jwks.json`);
    const maxAge = Number(/^public, max-age=(\d+)$/.exec(answer.headers.get("cache-control") ?? "")?.[1]);
    expect(maxAge).toBeGreaterThan(0);
    // The first time it was fetched a while ago already, so that not all look again at the same time.
    freshUntil = askedAt + maxAge - (freshUntil === -Infinity ? offsetSeconds : 0);
    return createLocalJWKSet((await answer.json()) as JSONWebKeySet);
  };
  return async (token) => {
    if (keySet === null || now >= freshUntil) keySet = fetchKeys();
    await jwtVerify(token, await keySet, { issuer: "http://localhost:8080", typ: "at+jwt" });
  };
}

test(
  "no token is refused by verifiers that cache the JWK set, over several rotations on two instances under load",
  async () => {
    const verifiers = fleet
      .urls()
      .flatMap((url) =>
        Array.from({ length: verifiersPerInstance }, (_, index) => createVerifier(url, index * 50)),
      );
    const kids = new Set<string | undefined>();
    const over = new AbortController();
    let verified = 0;
    const older: string[] = [];

    const check = async (token: string): Promise<void> => {
      kids.add(decodeProtectedHeader(token).kid);
      await Promise.all(verifiers.map((verify) => verify(token)));
      verified += verifiers.length;
    };

    const load = async (user: given.TestUser): Promise<void> => {
      let tokens = requireTokens(await api(fleet.nextUrl()).rest.login(user));
      while (!over.signal.aborted) {
        tokens = requireTokens(await api(fleet.nextUrl()).rest.refresh(tokens.refresh_token));
        older.push(tokens.access_token);
        await check(tokens.access_token);
        // One that another key may have signed meanwhile.
        await check(older[Math.floor(Math.random() * older.length)] ?? "");
        // sleep: as fast as a client that works, not as fast as it can.
        await sleep(20);
      }
    };

    const rotate = async (): Promise<void> => {
      for (let round = 0; round < rotations; round += 1) {
        const result = await fleet.members()[round % 2]?.command(["key", "rotate"]);
        expect(result).toMatchObject({ code: 0, stderr: "" });
        // Instances look at the keys every second, by a clock that does not run faster.
        await allPublish(round + 2);
        // The new key signs after 15 minutes; a while longer is under it alone.
        for (const until = now + 1200; now < until; ) await passTime();
      }
    };

    const users: given.TestUser[] = [];
    while (users.length < clients) users.push(await given.user(sql));
    const loads = users.map(load);
    await Promise.race([rotate(), ...loads]).finally(() => over.abort());
    await Promise.all(loads);
    expect(kids.size).toBe(rotations + 1);
    printFigures("signing-key rotation under load", {
      rotations,
      verifiers: verifiers.length,
      "tokens issued": older.length,
      "verifications, none refused": verified,
    });
  },
  2 * longTimeoutMs,
);
