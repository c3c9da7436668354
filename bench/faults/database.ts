import { createTestDatabase, startTestCluster, type TestCluster } from "../../test/_harness/postgres.ts";
import { openSql } from "../../test/_harness/sql.ts";
import { type Disk, mountDisk } from "./disk.ts";
import { type Standby, startStandby } from "./standby.ts";

/** The PostgreSQL of a stage: Debian's 15 as it comes, with a database and a role of the service's own. */
export interface Database {
  readonly cluster: TestCluster;
  readonly standby: Standby | null;
  /** The small disk that the tables lie on; null where they lie with all else. */
  readonly disk: Disk | null;
  /** As the service signs in. */
  readonly url: string;
  /** The same database as the superuser. */
  readonly adminUrl: string;
  /** Runs statements as the superuser, each by itself, over a connection of its own. */
  run(...statements: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

export interface DatabaseOptions {
  /** Streams to a standby. `sync`: commits wait for it, and the service knows both addresses. */
  readonly standby?: "async" | "sync";
  readonly disk?: true;
}

const password = "a-password-of-the-faults";

/** Starts it. */
export async function startDatabase({ standby, disk }: DatabaseOptions): Promise<Database> {
  const cluster = await startTestCluster({ stock: true });
  const { url: adminUrl } = await createTestDatabase(cluster);
  const name = new URL(adminUrl).pathname.slice(1);
  const mounted = disk === true ? await mountDisk(cluster) : null;
  const runAt =
    (url: string) =>
    async (...statements: readonly string[]): Promise<void> => {
      const sql = await openSql(url);
      try {
        for (const statement of statements) await sql.query(statement);
      } finally {
        await sql.end();
      }
    };
  await runAt(cluster.url)(
    `create role service login password '${password}'`,
    `create role others login password '${password}'`,
    `alter database ${name} owner to service`,
    ...(mounted === null
      ? []
      : [
          `create tablespace small location '${mounted.folder}'`,
          `alter database ${name} set tablespace small`,
        ]),
  );
  const copy = standby === undefined ? null : await startStandby(cluster);
  const url = new URL(adminUrl);
  url.username = "service";
  url.password = password;
  const run = runAt(adminUrl);
  // After the copy was made, so that the standby waits for none when it takes over.
  if (standby === "sync") await run("alter system set synchronous_standby_names = '*'", reload);
  const host = `127.0.0.1:${cluster.port}`;
  return {
    cluster,
    standby: copy,
    disk: mounted,
    adminUrl,
    url: standby === "sync" ? url.href.replace(host, `${host},127.0.0.1:${copy?.port}`) : url.href,
    run,
    async stop() {
      await copy?.stop();
      await cluster.stop();
      await mounted?.remove();
    },
  };
}

/** Makes what ALTER SYSTEM has set count. */
export const reload = "select pg_reload_conf()";

/** The address for another role of the same database. */
export function asOthers(url: string): string {
  return url.replace("//service:", "//others:");
}
