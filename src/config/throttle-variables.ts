import { rate, redisTarget } from "./schemas.ts";

/** The limits. docs/throttling.md says what each of them counts, and why. */
export const throttleVariables = {
  THROTTLE_LOGIN_ADDRESS: {
    schema: rate,
    fallback: "120/1m",
    help: "Logins from one address. Like every limit: `60/1m`, or `60/1m burst 10` for how many may come at once, or `off`. An address is an IPv4 address, or the first 64 bits of an IPv6 one.",
  },
  THROTTLE_LOGIN_CLIENT: {
    schema: rate,
    fallback: "6000/1m",
    help: "Logins by one client that has a secret.",
  },
  THROTTLE_LOGIN_DEVICE: {
    schema: rate,
    fallback: "10/1m",
    help: "Logins of one user on known devices. Up to this rate no other limit applies to them; above it they count like any other login.",
  },
  THROTTLE_REFRESH_ADDRESS: {
    schema: rate,
    fallback: "1200/1m",
    help: "Refreshes from one address.",
  },
  THROTTLE_REFRESH_CLIENT: {
    schema: rate,
    fallback: "12000/1m",
    help: "Refreshes by one client that has a secret.",
  },
  THROTTLE_TOKEN_ADDRESS: {
    schema: rate,
    fallback: "600/1m",
    help: "Requests to the token endpoint from one address; the grants password and refresh_token count as logins and refreshes.",
  },
  THROTTLE_TOKEN_CLIENT: {
    schema: rate,
    fallback: "6000/1m",
    help: "Client credentials grants of one client.",
  },
  THROTTLE_INTROSPECT_ADDRESS: {
    schema: rate,
    fallback: "60000/1m burst 10000",
    help: "Introspections from one address.",
  },
  THROTTLE_INTROSPECT_CLIENT: {
    schema: rate,
    fallback: "60000/1m burst 10000",
    help: "Introspections by one client.",
  },
  THROTTLE_REVOKE_ADDRESS: {
    schema: rate,
    fallback: "600/1m",
    help: "Revocations from one address.",
  },
  THROTTLE_REVOKE_CLIENT: {
    schema: rate,
    fallback: "6000/1m",
    help: "Revocations by one client that has a secret.",
  },
  THROTTLE_LOGOUT_ADDRESS: {
    schema: rate,
    fallback: "600/1m",
    help: "Logouts from one address.",
  },
  THROTTLE_CHANGE_PASSWORD_ADDRESS: {
    schema: rate,
    fallback: "60/1m",
    help: "Changes of password from one address.",
  },
  THROTTLE_FAILURES_ADDRESS: {
    schema: rate,
    fallback: "200/1h",
    help: "Wrong passwords from one address, on all accounts together.",
  },
  THROTTLE_FAILURES_ACCOUNT_ADDRESS: {
    schema: rate,
    fallback: "10/15m",
    help: "Wrong passwords from one address on one account.",
  },
  THROTTLE_FAILURES_ACCOUNT: {
    schema: rate,
    fallback: "50/1h",
    help: "Wrong passwords on one account, from all addresses together. Above it, an address that has not failed on the account for an hour still has one attempt.",
  },
  THROTTLE_REDIS_URL: {
    schema: redisTarget,
    fallback: null,
    fallbackNote: "REDIS_URL",
    secret: true,
    help: "A separate Redis for the limits, so that memory pressure there affects nothing else. Without any Redis, each instance counts its share alone.",
  },
} as const;
