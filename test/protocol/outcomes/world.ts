import { setTimeout as delay } from "node:timers/promises";
import { addClient, type TestClient, type TestClientOptions } from "../../_harness/clients.ts";
import * as given from "../../_harness/given.ts";
import { bearerOf } from "../../_harness/rest.ts";
import { setGrants } from "../../_harness/rows/clients.ts";
import { untilWaiting } from "../../_harness/rows/locks.ts";
import { insertRole } from "../../_harness/rows/roles.ts";
import { publishKey } from "../../_harness/rows/signing-keys.ts";
import { moveEpoch } from "../../_harness/rows/users.ts";
import type { TestService } from "../../_harness/service.ts";
import { openSql } from "../../_harness/sql.ts";

/** Who has signed in. */
export interface SignedIn {
  readonly headers: { readonly authorization: string };
  readonly userId: string;
}

/** What the cases of a service are made from, beside users and sessions of their own (`given`). */
export interface World {
  readonly service: TestService;
  addClient(options: TestClientOptions): Promise<TestClient>;
  /** The header of a user with these roles, who signs in once, and the user's id. */
  signInOnce(roles: readonly string[]): Promise<SignedIn>;
  /** A signing key that waits for its time to sign; answers its id. */
  publishKey(): Promise<string>;
  /** A role that permits nothing, or what is named; answers its name. */
  addRole(name: string, permissions?: readonly string[]): Promise<string>;
  /** The header of an admin who has eight streams open, which is all that one may have. */
  openStreams(): Promise<SignedIn["headers"]>;
  /** Takes grants from a client. */
  setGrants(client: TestClient, grants: readonly string[]): Promise<void>;
  /**
   * Holds a user's row, so that a statement that changes it waits; what is returned waits for such a
   * statement, ends the user's sessions before it, and lets go.
   */
  overtake(user: given.TestUser): Promise<() => Promise<void>>;
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
  const streams = new AbortController();
  const held: Response[] = [];
  let streaming: Promise<SignedIn["headers"]> | null = null;
  const signedIn = new Map<string, Promise<SignedIn>>();
  return {
    service,
    addClient: (options) => inTurn(() => addClient(sql, options)),
    signInOnce(roles) {
      const known = signedIn.get(roles.join()) ?? signIn(service, roles);
      signedIn.set(roles.join(), known);
      return known;
    },
    async addRole(name, permissions = []) {
      await inTurn(() => insertRole(sql, name, permissions));
      return name;
    },
    publishKey: () => inTurn(() => publishKey(sql)),
    openStreams: () => (streaming ??= openStreams(service, streams.signal, held)),
    async setGrants({ id }, grants) {
      await inTurn(() => setGrants(sql, id, grants));
      // sleep: the service remembers a client for a second.
      await delay(1000);
    },
    overtake: ({ username }) => overtake(service, username),
    async close() {
      streams.abort();
      held.length = 0;
      await sql.end();
    },
  };
}

async function signIn(service: TestService, roles: readonly string[]): Promise<SignedIn> {
  const user = await given.user(service, { roles });
  const { access_token } = await given.session(service, { user });
  return { headers: bearerOf(access_token), userId: user.id };
}

/** @param held takes the streams: fetch ends one whose answer nobody holds */
async function openStreams(
  service: TestService,
  signal: AbortSignal,
  held: Response[],
): Promise<SignedIn["headers"]> {
  const { headers } = await signIn(service, ["admin"]);
  const url = `${service.url}/admin/audit-events:follow`;
  held.push(...(await Promise.all(Array.from({ length: 8 }, () => fetch(url, { headers, signal })))));
  return headers;
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
