import type { KeyObject } from "node:crypto";
import { createHmacSha256, type Hmac } from "../../lib/hmac-sha256.ts";
import type { Rate } from "../../lib/rate.ts";
import { AppError, type Quota } from "../../errors/app-error.ts";
import type { Events } from "../events.ts";
import type { BucketCharge, Buckets } from "./buckets.ts";
import { awaitsOthers, type BucketRate, type BucketState, remaining, waitUs } from "./gcra.ts";
import { failurePolicies, type Policies, type PolicyName } from "./policies.ts";

/** The result of charging one attempt to a limit. */
export interface Charge {
  readonly policy: PolicyName;
  readonly allowed: boolean;
  /** Whether it was refused for others alone whose outcome is not known: it may pass in a moment. */
  readonly awaitsOthers: boolean;
  /** How long until the next one passes, in milliseconds; 0 for now. */
  readonly waitMs: number;
  readonly quota: Quota;
  /** What settles the charge; null if it was refused. */
  readonly charged: ChargedBucket | null;
}

/** A bucket that was charged. */
export interface ChargedBucket {
  readonly key: string;
  readonly rate: BucketRate;
  readonly emptyAtUs: number;
  readonly isTrial: boolean;
  /** Whether it is in the store that all instances share. */
  readonly isShared: boolean;
}

/** A limit, and whom it counts. */
export type Limited = readonly [policy: PolicyName, ...key: readonly string[]];

/** Counts attempts by limits. */
export interface Throttle {
  /**
   * Charges one attempt, in one step: of attempts side by side no more pass than the limit says.
   *
   * @param key whom the limit counts; kept as an HMAC
   * @returns null if the limit is switched off: it lets everybody through
   */
  charge(policy: PolicyName, ...key: readonly string[]): Promise<Charge | null>;
  /**
   * Charges one attempt to several limits, one after the other, up to the first that refuses. Limits that are switched
   * off are left out.
   *
   * @returns the result of each that was asked; none but the last may have refused
   */
  chargeAll(limits: readonly Limited[]): Promise<Charge[]>;
  /**
   * Settles charges: takes them back, or lets them stand. The charges of a limit of failures are under way until they
   * are settled. Never fails: if the store has gone meanwhile, the charge drains by itself.
   */
  settle(charges: readonly Charge[], outcome: "refund" | "keep"): Promise<void>;
}

/** What the throttle is made of. */
export interface ThrottleDeps {
  readonly policies: Policies;
  /** Keys are HMACs under this: neither store holds a name or an address. */
  readonly hmacKey: KeyObject;
  /** The store that all instances share; null where there is none. */
  readonly shared: Buckets | null;
  /** The store of this instance, in memory, for while there is no other. */
  readonly own: Buckets;
  /** How many instances run, this one among them: without a shared store each allows its share. */
  instances(): number;
  readonly events: Events;
}

const keyBytes = 16;

/** What every instance allows whole: a share of one attempt an hour would be less than was promised. */
const unshared: ReadonlySet<PolicyName> = new Set<PolicyName>(["failures-first"]);

/** What is charged before it is known whether it has failed. */
const trials: ReadonlySet<PolicyName> = new Set<PolicyName>(failurePolicies);

/** A limit with its bucket. */
interface Bound extends BucketCharge {
  readonly policy: PolicyName;
}

/** Builds the throttle. */
export function createThrottle(deps: ThrottleDeps): Throttle {
  const { policies, shared, own, events } = deps;
  const hmac = createHmacSha256(deps.hmacKey);
  let isAway = false;

  /** Null if the store is away. */
  const chargeShared = async (store: Buckets, bound: readonly Bound[]): Promise<BucketState[] | null> => {
    try {
      const states = await store.charge(bound);
      if (isAway) events.emit("limits.store_back", null);
      isAway = false;
      return states;
    } catch (error) {
      if (!isAway) events.emit("limits.store_lost", error);
      isAway = true;
      return null;
    }
  };

  const read = ({ policy, key, rate, isTrial }: Bound, state: BucketState, isShared: boolean): Charge => {
    const isOpen = awaitsOthers(state, rate);
    if (!isOpen) events.emit(state.allowed ? "limit.allowed" : "limit.refused", policy);
    return {
      policy,
      allowed: state.allowed,
      awaitsOthers: isOpen,
      waitMs: Math.ceil(waitUs(state, rate) / 1000),
      quota: quotaOf(policy, state, rate),
      charged: state.allowed ? { key, rate, emptyAtUs: state.emptyAtUs, isTrial, isShared } : null,
    };
  };

  const chargeOwn = async (bound: readonly Bound[]): Promise<Charge[]> => {
    const shares = bound.map((one) => ({
      ...one,
      rate: shareOf(one.rate, unshared.has(one.policy) ? 1 : deps.instances()),
    }));
    return readAll(shares, await own.charge(shares), false);
  };

  const readAll = (bound: readonly Bound[], states: readonly BucketState[], isShared: boolean): Charge[] =>
    states.flatMap((state, index) => {
      const one = bound[index];
      return one === undefined ? [] : [read(one, state, isShared)];
    });

  const chargeBound = async (bound: readonly Bound[]): Promise<Charge[]> => {
    if (bound.length === 0) return [];
    const states = shared === null ? null : await chargeShared(shared, bound);
    return states === null ? chargeOwn(bound) : readAll(bound, states, true);
  };

  const bind = ([policy, ...parts]: Limited): Bound | null => {
    const rate = policies[policy];
    if (rate === null) return null;
    return { policy, key: keyOf(hmac, policy, parts), rate: toBucketRate(rate), isTrial: trials.has(policy) };
  };

  const chargeAll = (limits: readonly Limited[]): Promise<Charge[]> =>
    chargeBound(limits.map(bind).filter((bound) => bound !== null));

  return {
    chargeAll,
    charge: async (...limited) => (await chargeAll([limited]))[0] ?? null,
    async settle(charges, outcome) {
      const settlements = charges.flatMap(({ charged }) => {
        if (charged === null || (outcome === "keep" && !charged.isTrial)) return [];
        const refundUs = outcome === "refund" ? charged.rate.intervalUs : 0;
        return [{ key: charged.key, refundUs, emptyAtUs: charged.emptyAtUs, isShared: charged.isShared }];
      });
      const inShared = settlements.filter(({ isShared }) => isShared);
      const inOwn = settlements.filter(({ isShared }) => !isShared);
      if (inOwn.length > 0) await own.settle(inOwn);
      if (inShared.length > 0) await shared?.settle(inShared).catch(ignore);
    },
  };
}

/** The refusal of an attempt that a limit did not let through. */
export function rateLimited({ waitMs, quota }: Pick<Charge, "waitMs" | "quota">): AppError {
  return new AppError("rate_limited", "Too many attempts. Try again later.", { retryAfterMs: waitMs, quota });
}

function toBucketRate({ count, periodMs, burst }: Rate): BucketRate {
  return { intervalUs: Math.ceil((periodMs * 1000) / count), burst };
}

/** One instance's share of a limit. The burst is rounded up, so that none is left without. */
function shareOf({ intervalUs, burst }: BucketRate, instances: number): BucketRate {
  return { intervalUs: intervalUs * instances, burst: Math.ceil(burst / instances) };
}

function keyOf(hmac: Hmac, policy: PolicyName, parts: readonly string[]): string {
  const mac = hmac(JSON.stringify([policy, ...parts]));
  return `${policy}:${mac.toString("base64url", 0, keyBytes)}`;
}

function quotaOf(policy: PolicyName, state: BucketState, rate: BucketRate): Quota {
  return {
    policy,
    quota: rate.burst,
    windowSeconds: Math.ceil((rate.intervalUs * rate.burst) / 1_000_000),
    remaining: remaining(state, rate),
    resetSeconds: Math.ceil(Math.max(0, state.emptyAtUs - state.nowUs) / 1_000_000),
  };
}

function ignore(): void {
  // The store has gone: the charge drains by itself.
}
