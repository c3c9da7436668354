import type { Interceptor } from "@connectrpc/connect";
import type { DeviceTokens } from "../../domain/known-device/device-tokens.ts";
import type { PasswordHasher } from "../../domain/password/password-hasher.ts";
import { readAdmission } from "../reading/read-admission.ts";
import type { CallLimits } from "./call-limits.ts";

/**
 * Refuses a login for whose password hash there is no room, before anything else is spent on it: in a storm most
 * calls end here, and nothing is taken off their callers' limits. A genuine device token goes on, since a share of the
 * queue is kept for known devices; whether it is the user's, the domain finds out.
 */
export function admit(
  callLimits: CallLimits,
  hasher: Pick<PasswordHasher, "requireRoom">,
  devices: Pick<DeviceTokens, "isGenuine">,
): Interceptor {
  return (next) => (request) => {
    const deviceToken = request.stream ? null : callLimits.deviceTokenOf(request.method, request.message);
    if (deviceToken !== null && !devices.isGenuine(deviceToken)) {
      hasher.requireRoom(readAdmission({ values: request.contextValues, signal: request.signal }));
    }
    return next(request);
  };
}
