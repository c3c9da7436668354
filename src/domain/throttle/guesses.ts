import { addressPrefix } from "../../lib/ip-address.ts";
import type { AppError } from "../errors.ts";
import type { Lane } from "../password/admission.ts";
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
}

/** Limits how often passwords can be guessed, without a lock that could be turned against their owners. */
export interface Guesses {
  /**
   * Checks a password within the limits. Attempts are charged before the check, in one step, and refunded unless
   * the password was wrong: guesses side by side do not slip through, and a check that did not take place (too
   * much work, a store away, a caller gone) costs nothing.
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
  const admit = async (guesser: Guesser): Promise<Admission> => {
    const known = await admitDevice(throttle, guesser);
    if (known !== null) return known;
    const refusal = guesser.addressRefusal;
    const admission = refusal ?? (await admitStranger(throttle, guesser));
    if (!Error.isError(admission)) return admission;
    onRefused(guesser, admission);
    throw admission;
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
        if (!isWrong) await refundAll(charges);
      }
    },
  };
}

/** Null where it is no known device, or its own buckets are full: it is then like any other. */
async function admitDevice(throttle: Throttle, { userId, deviceId }: Guesser): Promise<Admission | null> {
  if (userId === null || deviceId === null) return null;
  // By user, since whoever signs in gets as many tokens as logins.
  const requests = await throttle.charge("login-device", userId);
  if (!requests.allowed) return null;
  const failures = await throttle.charge("failures-device", deviceId);
  return failures.allowed ? { lane: "known_device", charges: [failures] } : null;
}

async function admitStranger(throttle: Throttle, { name, origin }: Guesser): Promise<Admission | AppError> {
  const prefix = addressPrefix(origin.clientAddress);
  const charges: Charge[] = [];
  const charge = async (...args: Parameters<Throttle["charge"]>): Promise<Charge> => {
    const made = await throttle.charge(...args);
    if (made.allowed) charges.push(made);
    return made;
  };
  const refuse = async (full: Charge): Promise<AppError> => {
    await refundAll(charges);
    return rateLimited(full);
  };

  const byBoth = await charge("failures-account-address", name, prefix);
  if (!byBoth.allowed) return refuse(byBoth);
  const byAddress = await charge("failures-address", prefix);
  if (!byAddress.allowed) return refuse(byAddress);
  const byAccount = await charge("failures-account", name);
  if (!byAccount.allowed) {
    const first = await charge("failures-first", name, prefix);
    if (!first.allowed) return refuse(first.waitMs < byAccount.waitMs ? first : byAccount);
  }
  return { lane: "usual", charges };
}

async function refundAll(charges: readonly Charge[]): Promise<void> {
  await Promise.all(charges.map((charge) => charge.refund()));
}
