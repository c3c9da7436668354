import { addClient, type TestClient } from "../../test/_harness/clients.ts";
import * as given from "../../test/_harness/given.ts";
import { startNginx } from "../../test/_harness/nginx.ts";
import { startPgBouncer } from "../../test/_harness/pgbouncer.ts";
import { freePort } from "../../test/_harness/ports.ts";
import { openSql } from "../../test/_harness/sql.ts";
import { makeCertificates } from "../../test/http/certificates.ts";
import { type Cache, startSingleCache, startWatchedCache } from "./cache.ts";
import { type Database, type DatabaseOptions, startDatabase } from "./database.ts";
import { createFront, type Caller } from "./front.ts";
import { type Instances, issuer, startInstances } from "./instances.ts";

/** What a fault needs; those that need the same share it. */
export interface StageOptions extends DatabaseOptions {
  readonly isBehindPgBouncer?: true;
  readonly isWatched?: true;
  /** MiB of each instance. */
  readonly memoryMib?: number;
  /** Open files of each instance. */
  readonly descriptors?: number;
}

/** Two instances behind nginx, and what they stand on. */
export interface Stage {
  readonly database: Database;
  readonly cache: Cache;
  readonly instances: Instances;
  readonly front: Caller;
  readonly user: given.TestUser;
  readonly client: TestClient;
  /** Has something done before all ends. */
  atEnd(undo: () => Promise<unknown>): void;
  /** Ends all; how long the instances took at most. */
  stop(): Promise<number>;
}

/** Things to stop, the last first. */
type Undo = () => Promise<unknown>;

/** Starts it all. */
export async function startStage(options: StageOptions): Promise<Stage> {
  const undo: Undo[] = [];
  const stopAll = async (): Promise<void> => {
    for (const each of undo.splice(0).toReversed()) await each();
  };
  try {
    return await build(options, undo, stopAll);
  } catch (error) {
    await stopAll();
    throw error;
  }
}

async function build(options: StageOptions, undo: Undo[], stopAll: () => Promise<void>): Promise<Stage> {
  const { isBehindPgBouncer, isWatched, memoryMib, descriptors, ...databaseOptions } = options;
  const cache = await (isWatched === true ? startWatchedCache() : startSingleCache());
  undo.push(() => cache.stop());
  const database = await startDatabase(databaseOptions);
  undo.push(() => database.stop());
  let databaseUrl = database.url;
  if (isBehindPgBouncer === true) {
    const bouncer = await startPgBouncer(database.url, { mode: "transaction", poolSize: 10 });
    undo.push(() => bouncer.stop());
    databaseUrl = bouncer.url;
  }
  const instances = await startInstances({
    env: { DATABASE_URL: databaseUrl, REDIS_URL: cache.url },
    ...(memoryMib === undefined ? {} : { memoryMib }),
    ...(descriptors === undefined ? {} : { descriptors }),
  });
  let endedMs: number | null = null;
  const stopInstances = async (): Promise<number> => (endedMs ??= await instances.stop());
  undo.push(stopInstances);
  const sql = await openSql(database.adminUrl);
  const client = await addClient(sql, {
    grants: ["client_credentials"],
    scopes: ["a"],
    audience: issuer,
    canIntrospect: true,
  });
  await sql.end();
  const user = await given.user({ databaseUrl: database.adminUrl }, { username: "caller" });
  const certificates = await makeCertificates("localhost");
  undo.push(() => certificates.remove());
  const port = await freePort();
  const { certFile, keyFile } = certificates;
  const nginx = await startNginx({ port, instances: instances.ports, certFile, keyFile });
  undo.push(() => nginx.stop());
  const front = createFront(port);
  undo.push(async () => front.close());
  return {
    database,
    cache,
    instances,
    front: front.call,
    user,
    client,
    atEnd: (each) => void undo.push(each),
    async stop() {
      await stopAll();
      return endedMs ?? 0;
    },
  };
}
