import { setTimeout as delay } from "node:timers/promises";
import { addressPrefix } from "../../lib/ip-address.ts";
import { AppError } from "../../errors/app-error.ts";
import type { Lane } from "../password/queue/admission.ts";
import type { Origin } from "../session/session.ts";
import { type Charge, rateLimited, type Throttle } from "./throttle.ts";

/** Somebody who gives a password. */
export interface Guesser {
  /** The case-folded name, whether or not there is such a user. */
  readonly name: string;
  /** Null where there is no such user. */
  readonly userId: string | null;
  /** What has proved before that it is the user's; null for everybody else. */
  readonly deviceId: string | null;
  /** The refusal that the address has earned, which only a known device passes; null for none. */
  readonly addressRefusal: AppError | null;
  readonly origin: Origin;
  /** Aborted when the caller goes or the call's time is over; undefined where nobody can go. */
  readonly signal: AbortSignal | undefined;
}

/** Limits how often passwords can be guessed, without a lock that could be turned against their owners. */
export interface Guesses {
  /**
   * Checks a password within the limits. Attempts are charged before the check, in one step, and refunded unless
   * the password was wrong: guesses side by side do not slip through, and a check that did not take place (too
   * much work, a store away, a caller gone) costs nothing. Attempts under way are no failures: who finds a limit
   * full of them waits a moment for what becomes of them, and is told a second where that takes longer.
   *
   * @param check answers null for a wrong password
   * @throws AppError rate_limited, and what the check throws
   */
  run<T>(guesser: Guesser, check: (lane: Lane) => Promise<T | null>): Promise<T | null>;
}

interface Admission {
  readonly lane: Lane;
  readonly charges: readonly Charge[];
}

/** The limit is full of attempts whose outcome is not known yet. */
const notYet = Symbol("not yet");

type Decision = Admission | AppError | typeof notYet;

/** How long to wait before each further try. */
const waitsMs = [50, 100, 200, 400, 750, 1500] as const;
/** So many wait at once in a process. */
const waitersMax = 200;

/**
 * A known device has a small bucket of its own and is bound by no other, so that nobody else can use it up.
 * Everybody else is bound by three, from the narrowest to the widest, and is refused by the first that is full.
 * Where only the account's is full, an address that has not failed on the account for an hour has one attempt.
 *
 * @param onRefused told of each refusal
 */
export function createGuesses(
  throttle: Throttle,
  onRefused: (guesser: Guesser, refusal: AppError) => void,
): Guesses {
  let waiters = 0;

  const decide = async (guesser: Guesser): Promise<Decision> =>
    (await admitDevice(throttle, guesser)) ??
    guesser.addressRefusal ??
    (await admitStranger(throttle, guesser));

  /** Decides again while others are under way, with ever longer pauses. */
  const decidePatiently = async (guesser: Guesser): Promise<Decision> => {
    let decision = await decide(guesser);
    if (decision !== notYet || waiters >= waitersMax) return decision;
    const { signal } = guesser;
    waiters += 1;
    try {
      for (const waitMs of waitsMs) {
        await delay(waitMs, undefined, signal === undefined ? {} : { signal });
        decision = await decide(guesser);
        if (decision !== notYet) break;
      }
      return decision;
    } catch (error) {
      // What the wait was ended with says why.
      throw signal?.aborted === true ? signal.reason : error;
    } finally {
      waiters -= 1;
    }
  };

  const admit = async (guesser: Guesser): Promise<Admission> => {
    const decision = await decidePatiently(guesser);
    if (decision === notYet) throw tooManyAtOnce();
    if (!Error.isError(decision)) return decision;
    onRefused(guesser, decision);
    throw decision;
  };

  return {
    async run(guesser, check) {
      const { lane, charges } = await admit(guesser);
      let isWrong = false;
      try {
        const answer = await check(lane);
        isWrong = answer === null;
        return answer;
      } finally {
        await throttle.settle(charges, isWrong ? "keep" : "refund");
      }
    },
  };
}

/** Nobody guesses here as far as is known: it is no limit's refusal, and the audit trail does not hear of it. */
function tooManyAtOnce(): AppError {
  return new AppError("rate_limited", "Too many attempts are under way at once. Try again in a second.", {
    retryAfterMs: 1000,
  });
}

/** Null where it is no known device, or its own buckets are full: it is then like any other. */
async function admitDevice(
  throttle: Throttle,
  { userId, deviceId }: Guesser,
): Promise<Admission | typeof notYet | null> {
  if (userId === null || deviceId === null) return null;
  // By user, since whoever signs in gets as many tokens as logins.
  const charges = await throttle.chargeAll([
    ["login-device", userId],
    ["failures-device", deviceId],
  ]);
  const refusal = charges.find(({ allowed }) => !allowed);
  if (refusal?.awaitsOthers === true && refusal.policy === "failures-device") return notYet;
  if (refusal !== undefined) return null;
  // A login is charged to its user whatever becomes of it.
  return { lane: "known_device", charges: charges.filter(({ policy }) => policy === "failures-device") };
}

async function admitStranger(throttle: Throttle, { name, origin }: Guesser): Promise<Decision> {
  const prefix = addressPrefix(origin.clientAddress);
  const charges = await throttle.chargeAll([
    ["failures-account-address", name, prefix],
    ["failures-address", prefix],
    ["failures-account", name],
  ]);
  const refusal = charges.find(({ allowed }) => !allowed);
  if (refusal === undefined) return { lane: "usual", charges };

  const refuse = async (full: Charge, awaitsOthers: boolean): Promise<Decision> => {
    await throttle.settle(charges, "refund");
    return awaitsOthers ? notYet : rateLimited(full);
  };
  if (refusal.policy !== "failures-account") return refuse(refusal, refusal.awaitsOthers);
  const first = await throttle.charge("failures-first", name, prefix);
  if (first?.allowed === false) {
    const sooner = first.waitMs < refusal.waitMs ? first : refusal;
    return refuse(sooner, first.awaitsOthers || refusal.awaitsOthers);
  }
  return { lane: "usual", charges: first === null ? charges : [...charges, first] };
}
