import type { RedisClient } from "../../redis/redis.ts";
import { readScript } from "../../redis/script.ts";
import type { BucketCharge, BucketSettlement, Buckets } from "./buckets.ts";
import { type BucketState, trialUsMax } from "./gcra.ts";

const chargeScript = readScript(new URL("./gcra-charge.lua", import.meta.url));
const settleScript = readScript(new URL("./gcra-settle.lua", import.meta.url));

/** Apart from every other key of ours: what is evicted or flushed here ends no session. */
const keyPrefix = "throttle:";
const stateNumbers = 4;

/**
 * Keeps buckets in Redis, one key each, which goes when the bucket is empty. The clock is Redis' own. Several buckets
 * are one command, unless they lie apart in a cluster: then each is one.
 */
export function createRedisBuckets(redis: Pick<RedisClient, "run" | "lieTogether">): Buckets {
  const areTogether = (all: readonly { readonly key: string }[]): boolean =>
    all.length === 1 || redis.lieTogether(all.map(keyOf));
  const charge = async (charges: readonly BucketCharge[]): Promise<BucketState[]> => {
    const args = charges.flatMap(({ rate: { intervalUs, burst }, isTrial }) => [
      intervalUs,
      burst,
      isTrial ? trialUsMax : 0,
    ]);
    return toStates(await redis.run(chargeScript, charges.map(keyOf), args));
  };
  const settle = async (settlements: readonly BucketSettlement[]): Promise<void> => {
    const args = settlements.flatMap(({ refundUs, emptyAtUs }) => [refundUs, emptyAtUs]);
    await redis.run(settleScript, settlements.map(keyOf), args);
  };
  return {
    async charge(charges) {
      if (areTogether(charges)) return charge(charges);
      const states: BucketState[] = [];
      for (const one of charges) {
        const [state] = await charge([one]);
        if (state === undefined) break;
        states.push(state);
        if (!state.allowed) break;
      }
      return states;
    },
    async settle(settlements) {
      if (areTogether(settlements)) await settle(settlements);
      else await Promise.all(settlements.map((one) => settle([one])));
    },
  };
}

function keyOf({ key }: { readonly key: string }): string {
  return keyPrefix + key;
}

/** Four numbers for each bucket: allowed, now, empty at, under way. */
function toStates(reply: unknown): BucketState[] {
  const numbers = reply as readonly number[];
  const states: BucketState[] = [];
  for (let at = 0; at + stateNumbers <= numbers.length; at += stateNumbers) {
    const [allowed = 0, nowUs = 0, emptyAtUs = 0, underWay = 0] = numbers.slice(at, at + stateNumbers);
    states.push({ allowed: allowed === 1, nowUs, emptyAtUs, underWay });
  }
  return states;
}
