import type { RedisClient } from "../../redis/redis.ts";
import { readScript } from "../../redis/script.ts";
import type { Buckets } from "./buckets.ts";
import { type BucketState, trialUsMax } from "./gcra.ts";

const chargeScript = readScript(new URL("./gcra-charge.lua", import.meta.url));
const settleScript = readScript(new URL("./gcra-settle.lua", import.meta.url));

/** Apart from every other key of ours: what is evicted or flushed here ends no session. */
const keyPrefix = "throttle:";

/** Keeps buckets in Redis, one key each, which goes when the bucket is empty. The clock is Redis' own. */
export function createRedisBuckets(redis: Pick<RedisClient, "run">): Buckets {
  return {
    async charge(key, { intervalUs, burst }, isTrial) {
      const args = [intervalUs, burst, isTrial ? trialUsMax : 0];
      return toState(await redis.run(chargeScript, keyPrefix + key, args));
    },
    async refund(key, { intervalUs }, { emptyAtUs }) {
      await redis.run(settleScript, keyPrefix + key, [intervalUs, emptyAtUs]);
    },
    async keep(key, { emptyAtUs }) {
      await redis.run(settleScript, keyPrefix + key, [0, emptyAtUs]);
    },
  };
}

function toState(reply: unknown): BucketState {
  const [allowed, nowUs, emptyAtUs, underWay] = reply as readonly [number, number, number, number];
  return { allowed: allowed === 1, nowUs, emptyAtUs, underWay };
}
