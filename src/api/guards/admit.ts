import type { Interceptor } from "@connectrpc/connect";
import type { DeviceTokens } from "../../domain/known-device/device-tokens.ts";
import type { PasswordHasher } from "../../domain/password/password-hasher.ts";
import { readLoginDeviceToken } from "../reading/login-device-token.ts";
import { readAdmission } from "../reading/read-admission.ts";

/**
 * Refuses a login for whose password hash there is no room, before anything else is spent on it: in a storm most
 * calls end here, and nothing is taken off their callers' limits. A genuine device token goes on, since a share of the
 * queue is kept for known devices; whether it is the user's, the domain finds out.
 */
export function admit(
  hasher: Pick<PasswordHasher, "requireRoom">,
  devices: Pick<DeviceTokens, "isGenuine">,
): Interceptor {
  return (next) => (request) => {
    const deviceToken = request.stream ? null : readLoginDeviceToken(request.message);
    if (deviceToken !== null && !devices.isGenuine(deviceToken)) {
      hasher.requireRoom(readAdmission({ values: request.contextValues, signal: request.signal }));
    }
    return next(request);
  };
}
