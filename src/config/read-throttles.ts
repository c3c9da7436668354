import type { Rate } from "../lib/rate.ts";
import type { Values } from "./variables.ts";

const variableOf = {
  "login-address": "THROTTLE_LOGIN_ADDRESS",
  "login-client": "THROTTLE_LOGIN_CLIENT",
  "login-device": "THROTTLE_LOGIN_DEVICE",
  "refresh-address": "THROTTLE_REFRESH_ADDRESS",
  "refresh-client": "THROTTLE_REFRESH_CLIENT",
  "token-address": "THROTTLE_TOKEN_ADDRESS",
  "token-client": "THROTTLE_TOKEN_CLIENT",
  "introspect-address": "THROTTLE_INTROSPECT_ADDRESS",
  "introspect-client": "THROTTLE_INTROSPECT_CLIENT",
  "revoke-address": "THROTTLE_REVOKE_ADDRESS",
  "revoke-client": "THROTTLE_REVOKE_CLIENT",
  "logout-address": "THROTTLE_LOGOUT_ADDRESS",
  "change-password-address": "THROTTLE_CHANGE_PASSWORD_ADDRESS",
  "failures-address": "THROTTLE_FAILURES_ADDRESS",
  "failures-account-address": "THROTTLE_FAILURES_ACCOUNT_ADDRESS",
  "failures-account": "THROTTLE_FAILURES_ACCOUNT",
} as const;

/** The limits by their names; null for one that is switched off. */
export type Throttles = Readonly<Record<keyof typeof variableOf, Rate | null>>;

/** Reads the limits. Every one has a default, so none is missing. */
export function readThrottles(values: Values): Throttles {
  const entries = Object.entries(variableOf).map(([name, variable]) => [name, values[variable] ?? null]);
  return Object.fromEntries(entries) as Throttles;
}
