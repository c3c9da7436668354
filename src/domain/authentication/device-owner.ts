import type { DeviceOwner } from "../known-device/device-tokens.ts";
import type { LoginUser } from "../user/users.ts";

/** Whose a device token is: it dies with the user's session epoch. */
export function ownerOf({ user, sessionEpoch }: LoginUser): DeviceOwner {
  return { userId: user.id, sessionEpoch };
}

/** Stands for a name that no user has: no device token is this one's. */
export const noOwner: DeviceOwner = { userId: "", sessionEpoch: "" };
