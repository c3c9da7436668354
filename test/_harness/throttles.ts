import { throttleVariables } from "../../src/config/throttle-variables.ts";

/** The variables that set a limit. */
export const limitNames: readonly string[] = Object.keys(throttleVariables).filter(
  (name) => name !== "THROTTLE_REDIS_URL",
);

/** Limits that no test meets by accident. */
export const generousThrottles: Readonly<Record<string, string>> = Object.fromEntries(
  limitNames.map((name) => [name, "1000000/1s"]),
);

/** The limits as they are in production. */
export const productionThrottles: Readonly<Record<string, string>> = Object.fromEntries(
  limitNames.map((name) => [name, ""]),
);
