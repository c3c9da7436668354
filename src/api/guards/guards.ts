import type { Audit } from "../../domain/audit/audit.ts";
import type { DeviceTokens } from "../../domain/known-device/device-tokens.ts";
import type { PasswordHasher } from "../../domain/password/password-hasher.ts";
import type { Throttle } from "../../domain/throttle/throttle.ts";
import { admit } from "./admit.ts";
import { authorize, type AuthorizeDeps } from "./authorize.ts";
import { cacheControl } from "./cache-control.ts";
import { type CookieAuth, cookies } from "./cookies.ts";
import type { MakeGuard } from "./guard.ts";
import { throttle } from "./throttle.ts";
import { validate } from "./validate.ts";

/** What the guards need. */
export interface GuardDeps extends AuthorizeDeps {
  readonly hasher: Pick<PasswordHasher, "requireRoom">;
  readonly devices: Pick<DeviceTokens, "isGenuine">;
  readonly limits: Throttle;
  readonly audit: Pick<Audit, "recordCounted">;
  /** Null if refresh tokens never travel in cookies. */
  readonly cookieAuth: CookieAuth | null;
}

/** What every call passes before its handler, in this order, whatever protocol it came by. */
export function createGuards(deps: GuardDeps): MakeGuard[] {
  const { hasher, devices, limits, audit, cookieAuth } = deps;
  return [
    cacheControl,
    // Before the limits, which ask for the device token that may be in a cookie.
    ...(cookieAuth === null ? [] : [cookies(cookieAuth)]),
    admit(hasher, devices),
    throttle(limits, devices, audit),
    authorize(deps),
    validate,
  ];
}
