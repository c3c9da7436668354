import type { DeviceTokens } from "../../domain/known-device/device-tokens.ts";
import type { PasswordHasher } from "../../domain/password/password-hasher.ts";
import { addressPrefix } from "../../lib/ip-address.ts";
import { readCallLimit } from "./call-limit.ts";
import type { MakeGuard } from "./guard.ts";

/**
 * Refuses a login for whose password hash there is no room, before anything else is spent on it: in a storm most
 * calls end here, and nothing is taken off their callers' limits. A genuine device token goes on, since a share of the
 * queue is kept for known devices; whether it is the user's, the domain finds out.
 */
export function admit(
  hasher: Pick<PasswordHasher, "requireRoom">,
  devices: Pick<DeviceTokens, "isGenuine">,
): MakeGuard {
  return (method, rules) => {
    const { deviceTokenOf } = readCallLimit(method, rules.limit);
    if (deviceTokenOf === null) return null;
    return {
      before(call, message) {
        const deviceToken = deviceTokenOf(message);
        if (deviceToken === null || devices.isGenuine(deviceToken)) return undefined;
        return hasher.requireRoom({ key: addressPrefix(call.clientAddress), lane: "usual" });
      },
    };
  };
}
