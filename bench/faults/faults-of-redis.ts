import type { Fault } from "./fault.ts";

const plain = { standby: "async" } as const;

/** What Redis does to us. */
export const faultsOfRedis: readonly Fault[] = [
  {
    name: "redis-stopped",
    title: "Redis stopped, and empty when it is back",
    stage: plain,
    async apply({ cache }) {
      await cache.kill();
      return () => cache.start();
    },
  },
  {
    name: "redis-frozen",
    title: "Redis frozen",
    stage: plain,
    async apply({ cache: { pid } }) {
      process.kill(pid, "SIGSTOP");
      return async () => void process.kill(pid, "SIGCONT");
    },
  },
  {
    name: "redis-full",
    title: "Redis full",
    stage: plain,
    async apply({ cache }) {
      await cache.run(
        ["CONFIG", "SET", "maxmemory-policy", "noeviction"],
        ["CONFIG", "SET", "maxmemory", "1"],
      );
      return () => cache.run(["CONFIG", "SET", "maxmemory", "0"]);
    },
  },
  {
    name: "redis-read-only",
    title: "Redis read-only (a replica)",
    stage: plain,
    async apply({ cache }) {
      await cache.run(["REPLICAOF", "127.0.0.1", "1"]);
      return () => cache.run(["REPLICAOF", "NO", "ONE"]);
    },
  },
  {
    name: "redis-failover",
    title: "Redis fails over (Sentinel)",
    stage: { isWatched: true },
    healsItself: true,
    spendsStage: true,
    async apply({ cache }) {
      await cache.failOver();
      return async () => undefined;
    },
  },
];
