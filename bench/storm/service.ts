import { userIds } from "../../src/domain/user/user.ts";
import { openStores } from "../../src/app/open-stores.ts";
import { readConfig } from "../../src/app/read-config.ts";
import { watchService } from "../processes.ts";
import { startBenchService } from "../service.ts";

/** The service as it is run in production, behind a trusted proxy, with users. */
export interface StormService {
  readonly port: number;
  readonly userNames: readonly string[];
  readonly password: string;
  /** What the service and the process that hashes hold in memory. MiB. */
  readMemoryMib(): number;
  /** The processor time that each part has taken so far. Milliseconds. */
  readProcessorMs(): Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

const password = "correct horse battery";

/** Starts it in a folder of its own, and makes so many users with the same password. */
export async function startStormService(userCount: number): Promise<StormService> {
  const { pid, port, env, stop } = await startBenchService((free) => ({
    NODE_ENV: "production",
    ISSUER: `http://localhost:${free}`,
    SECRET_KEY: "storm-secret-key-0123456789-abcdefghijkl",
    TRUSTED_PROXIES: "127.0.0.1",
    BOOTSTRAP_PASSWORD: password,
    LOG_LEVEL: "info",
  }));
  try {
    const userNames = await insertUsers(env, userCount);
    const processes = watchService(pid);
    return {
      port,
      userNames,
      password,
      readMemoryMib: () => {
        // PostgreSQL has its own bounds.
        const { service = 0, hashing = 0 } = processes.readMemoryMib();
        return service + hashing;
      },
      readProcessorMs: () => processes.readProcessorMs(),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Users with the hash of the first: making one for each would take longer than the storm. */
async function insertUsers(env: Readonly<Record<string, string>>, count: number): Promise<string[]> {
  const quiet = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
    facts: () => undefined,
    isLevelEnabled: () => false,
  };
  const stores = await openStores(readConfig(env), quiet, { joinRunning: true });
  const names = Array.from({ length: count }, (_, index) => `storm-${index}`);
  const text = `insert into users (id, username, username_folded, password_hash, password_pepper_id)
    select new.id, new.name, new.name, first.password_hash, first.password_pepper_id
    from unnest($1::text[], $2::text[]) as new (id, name), (select * from users limit 1) first`;
  try {
    await stores.db.query({ name: "storm.users", text }, [names.map(() => userIds.create()), names]);
  } finally {
    await stores.close();
  }
  return names;
}
