import type { KeyObject } from "node:crypto";
import { createHmacSha256, type Hmac } from "../../lib/hmac-sha256.ts";
import type { Rate } from "../../lib/rate.ts";
import { AppError, type Quota } from "../../errors/app-error.ts";
import type { Buckets } from "./buckets.ts";
import { awaitsOthers, type BucketRate, type BucketState, remaining, waitUs } from "./gcra.ts";
import { failurePolicies, type Policies, type PolicyName } from "./policies.ts";

/** What a limit said to one attempt. */
export interface Charge {
  readonly allowed: boolean;
  /** Whether it was refused for others alone whose outcome is not known: it may pass in a moment. */
  readonly awaitsOthers: boolean;
  /** How long until the next one passes, in milliseconds; 0 for now. */
  readonly waitMs: number;
  /** Null where the limit is switched off. */
  readonly quota: Quota | null;
  /** Takes the charge back. Never fails: where the store has gone meanwhile, the charge drains by itself. */
  refund(): Promise<void>;
  /** Lets the charge stand. For a limit of failures, whose charges are under way until one of the two is called. */
  keep(): Promise<void>;
}

/** Counts attempts by limits. */
export interface Throttle {
  /**
   * Charges one attempt, in one step: of attempts side by side no more pass than the limit says.
   *
   * @param key whom the limit counts; kept as an HMAC
   */
  charge(policy: PolicyName, ...key: readonly string[]): Promise<Charge>;
}

/** Told of what the throttle does. */
export interface ThrottleObserver {
  onDecision(policy: PolicyName, allowed: boolean): void;
  /** The shared store has gone: from here on this process counts by itself. Once per change. */
  onStoreAway(error: unknown): void;
  /** The shared store is back, and counts again. */
  onStoreBack(): void;
}

/** What the throttle is made of. */
export interface ThrottleDeps {
  readonly policies: Policies;
  /** Keys are HMACs under this: neither store holds a name or an address. */
  readonly hmacKey: KeyObject;
  /** The store that all instances share; null where there is none. */
  readonly shared: Buckets | null;
  /** The store of this process, for while there is no other. */
  readonly own: Buckets;
  /** How many instances run, this one among them: without a shared store each allows its share. */
  instances(): number;
  readonly observer: ThrottleObserver;
}

const keyBytes = 16;

/** What every instance allows whole: a share of one attempt an hour would be less than was promised. */
const unshared: ReadonlySet<PolicyName> = new Set<PolicyName>(["failures-first"]);

/** What is charged before it is known whether it has failed. */
const trials: ReadonlySet<PolicyName> = new Set<PolicyName>(failurePolicies);

/** Builds the throttle. */
export function createThrottle(deps: ThrottleDeps): Throttle {
  const { policies, shared, own, observer } = deps;
  const hmac = createHmacSha256(deps.hmacKey);
  let isAway = false;

  const chargeShared = async (
    key: string,
    rate: BucketRate,
    isTrial: boolean,
  ): Promise<BucketState | null> => {
    if (shared === null) return null;
    try {
      const state = await shared.charge(key, rate, isTrial);
      if (isAway) observer.onStoreBack();
      isAway = false;
      return state;
    } catch (error) {
      if (!isAway) observer.onStoreAway(error);
      isAway = true;
      return null;
    }
  };

  return {
    async charge(policy, ...parts) {
      const rate = policies[policy];
      if (rate === null) return unlimited;
      const key = keyOf(hmac, policy, parts);
      const full = toBucketRate(rate);
      const isTrial = trials.has(policy);
      const state = await chargeShared(key, full, isTrial);
      const buckets = state === null || shared === null ? own : shared;
      const bucketRate = state === null ? shareOf(full, unshared.has(policy) ? 1 : deps.instances()) : full;
      const charged = state ?? (await own.charge(key, bucketRate, isTrial));
      const isOpen = awaitsOthers(charged, bucketRate);
      if (!isOpen) observer.onDecision(policy, charged.allowed);
      return {
        allowed: charged.allowed,
        awaitsOthers: isOpen,
        waitMs: Math.ceil(waitUs(charged, bucketRate) / 1000),
        quota: quotaOf(policy, charged, bucketRate),
        refund: async () => {
          if (charged.allowed) await buckets.refund(key, bucketRate, charged).catch(ignore);
        },
        keep: async () => {
          if (charged.allowed && isTrial) await buckets.keep(key, charged).catch(ignore);
        },
      };
    },
  };
}

const unlimited: Charge = {
  allowed: true,
  awaitsOthers: false,
  waitMs: 0,
  quota: null,
  refund: () => Promise.resolve(),
  keep: () => Promise.resolve(),
};

/** The refusal of an attempt that a limit did not let through. */
export function rateLimited({ waitMs, quota }: Pick<Charge, "waitMs" | "quota">): AppError {
  return new AppError("rate_limited", "Too many attempts. Try again later.", {
    retryAfterMs: waitMs,
    ...(quota === null ? {} : { quota }),
  });
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
