import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "pg";
import { addClient, type TestClient, type TestClientOptions } from "../../_harness/clients.ts";
import { eventually } from "../../_harness/eventually.ts";
import type { TestUser } from "../../_harness/given.ts";
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
      await inTurn(() => sql.query("insert into roles values ($1, '', '{}', '{}')", [name]));
      return name;
    },
    async setGrants({ id }, grants) {
      await inTurn(() => sql.query("update clients set grants = $2 where id = $1", [id, grants]));
      // The service remembers a client for a second.
      await delay(1000);
    },
    overtake: ({ username }) => overtake(service, sql, username),
    close: () => sql.end(),
  };
}

async function overtake(service: TestService, observer: Client, username: string) {
  const sql = await openSql(service.databaseUrl);
  await sql.query("begin");
  await sql.query("update users set session_epoch = session_epoch + 1 where username = $1", [username]);
  return async () => {
    await eventually(async () => {
      const { rowCount } = await observer.query(
        "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      );
      return rowCount !== 0;
    });
    await sql.query("commit");
    await sql.end();
  };
}
