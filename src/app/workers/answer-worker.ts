import type { Commons, Remembered } from "../commons.ts";
import { fromSent } from "./ask-supervisor.ts";
import type { SupervisorCalls } from "./calls.ts";
import type { Answers } from "./channel.ts";

/**
 * What a supervisor answers its workers; the other end is ask-supervisor.ts.
 *
 * @param commons what the instance has once; null until the workers have their orders
 * @param forgetElsewhere lets the other workers forget a user or a client
 */
export function answerWorker(
  commons: () => Commons | null,
  forgetElsewhere: (what: Remembered) => Promise<void>,
): Omit<Answers<SupervisorCalls>, "report"> {
  const common = (): Commons => {
    const found = commons();
    if (found === null) throw new Error("a worker asked before it had its orders");
    return found;
  };
  return {
    hash: ({ works, admission }, signal) => common().hashing.run(works, fromSent(admission, signal)),
    async requireRoom(admission, signal) {
      await common().hashing.requireRoom(fromSent(admission, signal));
      return null;
    },
    charge: (charges) => common().buckets.charge(charges),
    async settle(settlements) {
      await common().buckets.settle(settlements);
      return null;
    },
    async forget(what) {
      await forgetElsewhere(what);
      return null;
    },
  };
}
