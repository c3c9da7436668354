import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { type Answer, requireTokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { eventually } from "../_harness/eventually.ts";
import { longTimeoutMs, printFigures, sizeOf } from "../_harness/figures.ts";
import { answered } from "../_harness/fleet.ts";
import * as given from "../_harness/given.ts";
import { deriveKey } from "../_harness/make-refresh-token.ts";
import { freePort } from "../_harness/ports.ts";
import { countLiveSessions } from "../_harness/rows/sessions.ts";
import { startService, type TestService, testSecretKey as oldKey } from "../_harness/service.ts";
import { createSharedDatabase } from "../_harness/shared-stores.ts";
import { openSql } from "../_harness/sql.ts";

const newKey = "the-next-secret-key-0123456789-abcdefghijklm";
const clients = sizeOf(6, 40);
const rollouts = sizeOf(1, 5);

let database: Awaited<ReturnType<typeof createSharedDatabase>>;
let sql: Client;
const instances: TestService[] = [];
const ports: number[] = [];
beforeAll(async () => {
  database = await createSharedDatabase();
  ports.push(await freePort(), await freePort());
  for (const port of ports) instances.push(await start(port, oldKey));
  sql = await openSql(database.url);
}, 120_000);
afterAll(async () => {
  await sql.end();
  await Promise.all(instances.map((instance) => instance.stop()));
  await database.drop();
});

function start(port: number, secrets: string): Promise<TestService> {
  return startService({
    env: {
      PORT: String(port),
      DATABASE_URL: database.url,
      ISSUER: "http://localhost:8080",
      SECRET_KEY: secrets,
    },
  });
}

/** Gives both instances these entries of SECRET_KEY, one after the other. */
async function deploy(...secrets: string[]): Promise<void> {
  for (const [index, port] of ports.entries()) {
    await instances[index]?.stop();
    instances[index] = await start(port, secrets.join(","));
  }
}

function keyIdOf(token: string): string {
  return Buffer.from(token.slice(4), "base64url").subarray(1, 5).toString("hex");
}

test(
  "a roll-out of SECRET_KEY over two instances logs nobody out under refreshes, nor does the end of the old key",
  async () => {
    const over = new AbortController();
    let [refreshes, retries] = [0, 0];
    const held = new Map<number, string>();

    /** Refreshes at any instance, again and again; what got no answer, or 503, is asked again. */
    const client = async (index: number): Promise<void> => {
      for (let turn = index; !over.signal.aborted; turn += 1) {
        const url = `http://127.0.0.1:${ports[turn % 2]}`;
        const answer: Answer | null = await answered(api(url).rest.refresh(held.get(index) ?? ""));
        if (answer === null || answer.status === 503) retries += 1;
        else held.set(index, requireTokens(answer).refresh_token);
        refreshes += 1;
        // sleep: as clients come in, not as fast as they can: the cores are for the starts.
        await sleep(sizeOf(100, 20));
      }
    };

    /** Waits until every client holds a token that this key made. */
    const allHold = async (secret: string): Promise<void> => {
      const id = deriveKey(secret, "key-id").subarray(0, 4).toString("hex");
      await eventually(() => [...held.values()].every((token) => keyIdOf(token) === id), longTimeoutMs, 50);
    };

    const rollOut = async (): Promise<void> => {
      let [current, next] = [oldKey, newKey];
      for (let round = 0; round < rollouts; round += 1) {
        await deploy(current, next);
        await deploy(next, current);
        await allHold(next);
        await deploy(next);
        [current, next] = [next, `${newKey}-${round}`];
      }
    };

    while (held.size < clients) {
      const user = await given.user(sql);
      const { refresh_token } = requireTokens(
        await api(`http://127.0.0.1:${ports[held.size % 2]}`).rest.login(user),
      );
      held.set(held.size, refresh_token);
    }
    const all = [...held.keys()].map(client);
    await Promise.race([rollOut(), ...all]).finally(() => over.abort());
    await Promise.all(all);
    expect(await countLiveSessions(sql)).toBe(clients);
    for (const token of held.values()) {
      requireTokens(await api(`http://127.0.0.1:${ports[0]}`).rest.refresh(token));
    }
    printFigures("secret-key roll-out under refreshes", {
      "roll-outs": rollouts,
      clients,
      refreshes,
      "without an answer, tried again": retries,
      logouts: 0,
    });
  },
  2 * longTimeoutMs,
);
