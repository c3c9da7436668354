import { setTimeout as delay } from "node:timers/promises";
import { addClient, type TestClient, type TestClientOptions } from "../../_harness/clients.ts";
import type { TestUser } from "../../_harness/given.ts";
import { setGrants } from "../../_harness/rows/clients.ts";
import { untilWaiting } from "../../_harness/rows/locks.ts";
import { insertRole } from "../../_harness/rows/roles.ts";
import { moveEpoch } from "../../_harness/rows/users.ts";
import type { TestService } from "../../_harness/service.ts";
import { openSql } from "../../_harness/sql.ts";

/** What the cases of a service are made from, beside users and sessions of their own (`given`). */
export interface World {
  readonly service: TestService;
  addClient(options: TestClientOptions): Promise<TestClient>;
  /** A role that permits nothing; answers its name. */
  addRole(name: string): Promise<string>;
  /** Takes grants from a client. */
  setGrants(client: TestClient, grants: readonly string[]): Promise<void>;
  /**
   * Holds a user's row, so that a statement that changes it waits; what is returned waits for such a
   * statement, ends the user's sessions before it, and lets go.
   */
  overtake(user: TestUser): Promise<() => Promise<void>>;
  /** May be called twice. */
  close(): Promise<void>;
}

/** Opens the world of a service. */
export async function openWorld(service: TestService): Promise<World> {
  const sql = await openSql(service.databaseUrl);
  // One connection takes one statement at a time.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    const next = last.then(run, run);
    last = next;
    return next;
  };
  return {
    service,
    addClient: (options) => inTurn(() => addClient(sql, options)),
    async addRole(name) {
      await inTurn(() => insertRole(sql, name));
      return name;
    },
    async setGrants({ id }, grants) {
      await inTurn(() => setGrants(sql, id, grants));
      // sleep: the service remembers a client for a second.
      await delay(1000);
    },
    overtake: ({ username }) => overtake(service, username),
    close: () => sql.end(),
  };
}

async function overtake(service: TestService, username: string) {
  const sql = await openSql(service.databaseUrl);
  await sql.query("begin");
  await moveEpoch(sql, username);
  return async () => {
    await untilWaiting(service.databaseUrl);
    await sql.query("commit");
    await sql.end();
  };
}
