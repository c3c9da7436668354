import type { TestDatabase } from "./postgres.ts";
import { type ServiceOptions, startService, type TestService } from "./service.ts";
import { createSharedDatabase } from "./shared-stores.ts";

/** Several processes of the service over one database. */
export interface Fleet {
  readonly databaseUrl: string;
  readonly admin: TestService["admin"];
  /** The addresses of those that run now. */
  urls(): string[];
  /** The one of these that is next in turn. */
  nextUrl(): string;
  /** The processes that run now. */
  members(): readonly TestService[];
  /** Ends one with SIGKILL and starts another in its place; resolves when that one is ready. */
  replace(index: number): Promise<void>;
  stop(): Promise<void>;
}

/** How a fleet differs from the usual. */
export interface FleetOptions extends ServiceOptions {
  /** The workers of the first of them; one by default. */
  readonly workersOfFirst?: number;
}

/**
 * Starts the service several times over one database.
 *
 * @param options `DATABASE_URL` in its environment names the database; otherwise one of the run is taken
 */
export async function startFleet(size: number, options: FleetOptions = {}): Promise<Fleet> {
  const given = options.env?.["DATABASE_URL"];
  const database: TestDatabase | null = given === undefined ? await createSharedDatabase() : null;
  const databaseUrl = given ?? database?.url ?? "";
  // One issuer for all, as behind a load balancer.
  const env = { ISSUER: "http://localhost:8080", ...options.env, DATABASE_URL: databaseUrl };
  // The first makes the tables, the keys and the user.
  const { workersOfFirst } = options;
  const first = await startService({
    env: workersOfFirst === undefined ? env : { ...env, WORKERS: String(workersOfFirst) },
  });
  const others = await Promise.allSettled(Array.from({ length: size - 1 }, () => startService({ env })));
  const members: (TestService | null)[] = [first];
  for (const other of others) if (other.status === "fulfilled") members.push(other.value);
  const running = () => members.filter((member) => member !== null);
  const stop = async (): Promise<void> => {
    await Promise.all(running().map((member) => member.stop()));
    await database?.drop();
  };
  if (members.length < size) {
    await stop();
    throw new Error("An instance of the service did not start.");
  }
  let turn = 0;
  return {
    databaseUrl,
    admin: first.admin,
    members: running,
    urls: () => running().map(({ url }) => url),
    nextUrl() {
      const urls = running().map(({ url }) => url);
      turn += 1;
      return urls[turn % urls.length] ?? first.url;
    },
    async replace(index) {
      const member = members[index] ?? null;
      members[index] = null;
      await member?.end("SIGKILL");
      await member?.stop();
      members[index] = await startService({ env });
    },
    stop,
  };
}

/** The answer of a call; null where there is none, since the process died or never listened. */
export function answered<T>(call: Promise<T>): Promise<T | null> {
  return call.catch(() => null);
}
