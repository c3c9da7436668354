import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import calculateSlot from "cluster-key-slot";
import { Cluster, Redis, type RedisOptions } from "ioredis";
import type { RedisTarget } from "../lib/redis-url.ts";

/** How connections are made. */
export interface ConnectOptions {
  /** A file of PEM certificates to trust in place of the system's; null for the system's. */
  readonly caFile: string | null;
  /** How long a command may take. */
  readonly timeoutMs: number;
  /** Whether connections that break are made anew. */
  readonly reconnect: boolean;
}

/** The connections to a Redis of any kind, through the driver. */
export interface RedisConnection {
  readonly driver: Redis | Cluster;
  /** The server that a key lies on, as `host:port`; empty where there is but one, or none is known. */
  nodeOf(key: string): string;
  /** Whether keys lie in one slot of a cluster; true where there is no cluster. */
  lieTogether(keys: readonly string[]): boolean;
  /** How many servers hold keys, as far as they are known; 1 where there is no cluster. */
  nodeCount(): number;
  /** Why the last connection failed, while there is no other; null if that is not known. */
  readonly failure: unknown;
  /** Ends them for good. */
  close(): void;
}

const connectTimeoutMs = 1_000;
const reconnectDelayMaxMs = 2_000;
const reviveDelayMs = 100;
/** After this time without an answer a connection counts as dead: its peer may have vanished without closing it. */
const silenceMaxMs = 2_000;
/** How often a cluster may redirect one command before the command fails. */
const redirectionsMax = 4;

/**
 * Opens connections to Redis. A command fails at once while there is none, and is never sent twice, so that no caller
 * waits for Redis.
 *
 * @throws if the file of certificates cannot be read
 */
export function connectRedis(target: RedisTarget, options: ConnectOptions): RedisConnection {
  const server = serverOptions(target, options);
  const retryStrategy = (attempt: number) =>
    options.reconnect ? Math.min(attempt * 100, reconnectDelayMaxMs) : null;
  switch (target.kind) {
    case "standalone": {
      const [address] = target.hosts;
      return open(new Redis({ ...server, ...address, enableOfflineQueue: false, retryStrategy }), options);
    }
    case "sentinel":
      return open(
        new Redis({
          ...server,
          sentinels: [...target.hosts],
          name: target.masterName,
          ...(target.sentinelUsername === "" ? {} : { sentinelUsername: target.sentinelUsername }),
          ...(target.sentinelPassword === "" ? {} : { sentinelPassword: target.sentinelPassword }),
          ...(target.tls ? { enableTLSForSentinelMode: true, sentinelTLS: readTls(options.caFile) } : {}),
          sentinelCommandTimeout: connectTimeoutMs,
          sentinelRetryStrategy: retryStrategy,
          failoverDetector: options.reconnect,
          enableOfflineQueue: false,
          retryStrategy,
        }),
        options,
      );
    case "cluster": {
      const driver = new Cluster([...target.hosts], {
        redisOptions: server,
        clusterRetryStrategy: retryStrategy,
        enableOfflineQueue: false,
        maxRedirections: redirectionsMax,
        slotsRefreshTimeout: connectTimeoutMs,
        slotsRefreshInterval: 5_000,
      });
      return open(driver, options, {
        nodeOf: (key) => driver.slots[calculateSlot(key)]?.[0] ?? "",
        nodeCount: () => driver.nodes("master").length,
        lieTogether: (keys) => new Set(keys.map((key) => calculateSlot(key))).size <= 1,
      });
    }
  }
}

function open(
  driver: Redis | Cluster,
  { reconnect }: ConnectOptions,
  cluster: Pick<RedisConnection, "nodeOf" | "nodeCount" | "lieTogether"> = {
    nodeOf: () => "",
    nodeCount: () => 1,
    lieTogether: () => true,
  },
): RedisConnection {
  // Without a listener an error event ends the process. Commands fail with words of the driver's; the reason is here.
  let failure: unknown = null;
  // Only the first error of an attempt says why it failed; those after it say only that it did.
  let isFirst = true;
  driver.on("connecting", () => {
    isFirst = true;
  });
  driver.on("error", (error: unknown) => {
    if (isFirst) failure = error;
    isFirst = false;
    // The driver would go on in database 0, which is somebody else's.
    if (driver instanceof Redis && isRefusedSelect(error)) driver.disconnect(reconnect);
  });
  driver.on("ready", () => {
    failure = null;
  });
  // The driver can give up for good: when it hears of a failover while it asks the sentinels for the master.
  let timer: NodeJS.Timeout | undefined;
  const revive = (): void => {
    timer = setTimeout(() => void driver.connect().catch(() => undefined), reviveDelayMs);
  };
  if (reconnect) driver.on("end", revive);
  return {
    driver,
    ...cluster,
    get failure() {
      return failure;
    },
    close() {
      driver.off("end", revive);
      clearTimeout(timer);
      driver.disconnect();
    },
  };
}

function isRefusedSelect(error: unknown): boolean {
  const command = Error.isError(error) && "command" in error ? error.command : null;
  return typeof command === "object" && command !== null && "name" in command && command.name === "select";
}

/** How a server that holds data is spoken to. */
function serverOptions(target: RedisTarget, { caFile, timeoutMs }: ConnectOptions) {
  return {
    ...(target.tls ? { tls: readTls(caFile) } : {}),
    ...(target.username === "" ? {} : { username: target.username }),
    ...(target.password === "" ? {} : { password: target.password }),
    db: target.database,
    connectionName: "countersign",
    connectTimeout: connectTimeoutMs,
    // Callers have deadlines of their own; this is for what the driver asks by itself.
    commandTimeout: Math.max(silenceMaxMs, timeoutMs),
    socketTimeout: Math.max(silenceMaxMs, timeoutMs),
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // A master that became a replica: connect again, which finds the present master.
    reconnectOnError: (error: Error) => error.message.startsWith("READONLY"),
  } satisfies RedisOptions;
}

function readTls(caFile: string | null): ConnectionOptions {
  return caFile === null ? {} : { ca: readFileSync(caFile) };
}
