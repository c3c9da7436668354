import type { Rate } from "../../lib/rate.ts";

/** What requests are limited by at all, whatever becomes of them. A policy's name says what it counts by. */
export const requestPolicies = [
  "login-address",
  "login-client",
  "login-device",
  "refresh-address",
  "refresh-client",
  "token-address",
  "token-client",
  "introspect-address",
  "introspect-client",
  "revoke-address",
  "revoke-client",
  "logout-address",
  "change-password-address",
] as const;

/** What wrong passwords are limited by. `first` is the attempt that an address always has on an account. */
export const failurePolicies = [
  "failures-address",
  "failures-account-address",
  "failures-account",
  "failures-first",
  "failures-device",
] as const;

/** The name of a limit. */
export type PolicyName = (typeof requestPolicies)[number] | (typeof failurePolicies)[number];

/** Every limit; null for one that is switched off. */
export type Policies = Readonly<Record<PolicyName, Rate | null>>;

/** Once an hour: the contract's, so that no setting makes an account's limit a lock. */
const firstRate: Rate = { count: 1, periodMs: 3_600_000, burst: 1 };
const deviceFailuresMax = 10;

/** The limits that are no setting, beside those that are. @param deviceTtlMs how long a device token lives */
export function completePolicies(
  given: Omit<Policies, "failures-first" | "failures-device">,
  deviceTtlMs: number,
): Policies {
  return {
    ...given,
    "failures-first": firstRate,
    // None drains before the token has expired: so many in all.
    "failures-device": { count: 1, periodMs: deviceTtlMs, burst: deviceFailuresMax },
  };
}
