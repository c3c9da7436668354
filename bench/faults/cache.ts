import { Redis } from "ioredis";
import { freePort } from "../../test/_harness/ports.ts";
import { startRedis } from "../../test/_harness/redis.ts";
import { startRedisSentinel } from "../../test/_harness/redis-topologies.ts";

/** The Redis of a stage. */
export interface Cache {
  readonly url: string;
  readonly pid: number;
  kill(): Promise<void>;
  /** Starts it anew, empty, after `kill`. */
  start(): Promise<void>;
  /** Sends it commands. */
  run(...commands: readonly (readonly string[])[]): Promise<void>;
  /** Kills the primary, and waits until a replica is one. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

/** One server alone. */
export async function startSingleCache(): Promise<Cache> {
  const port = await freePort();
  let server = await startRedis({ port });
  return {
    url: server.url,
    get pid() {
      return server.pid;
    },
    kill: () => server.kill9(),
    async start() {
      await server.stop();
      server = await startRedis({ port });
    },
    async run(...commands) {
      const redis = new Redis(server.url, { maxRetriesPerRequest: 0 }).on("error", () => undefined);
      for (const [name = "", ...args] of commands) await redis.call(name, ...args);
      redis.disconnect();
    },
    failOver: () => Promise.reject(new Error("There is nothing to fail over to.")),
    stop: () => server.stop(),
  };
}

/** A primary with two replicas and three sentinels. */
export async function startWatchedCache(): Promise<Cache> {
  const topology = await startRedisSentinel();
  const none = () => Promise.reject(new Error("This Redis is there to fail over."));
  return {
    url: topology.url,
    pid: topology.servers[0]?.pid ?? -1,
    kill: none,
    start: none,
    run: none,
    failOver: () => topology.failOver(),
    stop: () => topology.stop(),
  };
}
