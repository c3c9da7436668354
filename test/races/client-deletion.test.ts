import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Client } from "pg";
import type { ManageClients } from "../../src/domain/client/manage-clients.ts";
import { changingOperator } from "../../src/domain/role/administrator.ts";
import { api } from "../_harness/api.ts";
import { addClient, postOf, type TestClient } from "../_harness/clients.ts";
import { openClientsElsewhere } from "../_harness/clients-elsewhere.ts";
import { longTimeoutMs, printFigures, sizeOf } from "../_harness/figures.ts";
import { type Fleet, startFleet } from "../_harness/fleet.ts";
import * as given from "../_harness/given.ts";
import { openSql } from "../_harness/sql.ts";

const rounds = sizeOf(60, 500);
const loginsPerRound = 4;

let fleet: Fleet;
let sql: Client;
let elsewhere: ReturnType<typeof openClientsElsewhere>;
let clients: ManageClients;
beforeAll(async () => {
  // Hashes that take a while: most of a login lies between the look at the client and the session.
  fleet = await startFleet(2, { env: { ARGON2_MEMORY_KIB: "8192" } });
  sql = await openSql(fleet.databaseUrl);
  elsewhere = openClientsElsewhere(fleet.databaseUrl);
  clients = elsewhere.manageClients;
}, 120_000);
afterAll(async () => {
  await elsewhere.close();
  await sql.end();
  await fleet.stop();
});

/** Registers an id, with a secret of its own each time. */
function register(id: string): Promise<TestClient> {
  return addClient(sql, { id, firstParty: true, grants: ["password", "refresh_token"] });
}

test(
  "a login that overlaps with the deletion of its client leaves no live token, also where the id is registered anew",
  async () => {
    const count = { answered: 0, refused: 0 };
    for (let round = 0; round < rounds; round += 1) {
      const client = await register(`client-${randomBytes(6).toString("hex")}`);
      const user = await given.user(sql);
      const overlapping = Array.from({ length: loginsPerRound }, async () => {
        // sleep: the logins meet the deletion at any moment.
        await sleep(Math.random() * 10);
        return api(fleet.nextUrl()).rest.login(user, postOf(client));
      });
      // sleep: sometimes after the first has been answered, sometimes before.
      if (round % 3 === 0) await Promise.race(overlapping);
      else await sleep(Math.random() * 40);
      const deletion = await clients.delete({ id: client.id, etag: "", changer: changingOperator });
      expect(deletion.finishedAt).not.toBeNull();
      const next = await register(client.id);
      for (const { status, reason, tokens } of await Promise.all(overlapping)) {
        expect([null, "invalid_client", "invalid_credentials"]).toContain(reason);
        count[status === 200 ? "answered" : "refused"] += 1;
        if (tokens === null) continue;
        const refreshed = await api(fleet.nextUrl()).rest.refresh(tokens.refresh_token, postOf(next));
        expect(refreshed).toMatchObject({ status: 401, reason: "invalid_refresh_token", tokens: null });
        expect(await api(fleet.nextUrl()).rest.me(tokens.access_token)).toMatchObject({ status: 401 });
      }
    }
    expect(count.answered).toBeGreaterThan(0);
    printFigures("deletion of a client against logins", { rounds, ...count });
  },
  longTimeoutMs,
);
