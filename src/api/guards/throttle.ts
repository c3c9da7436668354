import type { Message } from "@bufbuild/protobuf";
import type { Audit } from "../../domain/audit/audit.ts";
import { byAnyone } from "../../domain/audit/audit-event.ts";
import type { DeviceTokens } from "../../domain/known-device/device-tokens.ts";
import { AppError } from "../../errors/app-error.ts";
import { rateLimited, type Throttle } from "../../domain/throttle/throttle.ts";
import { addressPrefix } from "../../lib/ip-address.ts";
import type { Call } from "../call.ts";
import { readOrigin } from "../reading/read-origin.ts";
import { type AddressPolicy, readCallLimit } from "./call-limit.ts";
import type { MakeGuard } from "./guard.ts";
import { rateLimitFields } from "./rate-limit-fields.ts";

/**
 * Limits what one address may do at each endpoint, and shows the caller the state of the limit. A login that shows a
 * genuine device token goes on with its refusal: the domain knows whether the device is the user's.
 */
export function throttle(
  limits: Throttle,
  devices: Pick<DeviceTokens, "isGenuine">,
  audit: Pick<Audit, "recordCounted">,
): MakeGuard {
  const refuse = (call: Call, policy: AddressPolicy, prefix: string, refusal: AppError): void => {
    if (policy === "login-address") {
      const event = { type: "login.throttled", reason: "login_address" } as const;
      audit.recordCounted({ ...byAnyone(readOrigin(call)), ...event }, prefix);
    }
    throw refusal;
  };
  return (method, rules) => {
    const { policyOf, deviceTokenOf } = readCallLimit(method, rules.limit);
    if (policyOf === null) return null;
    const charge = async (call: Call, message: Message | null, policy: AddressPolicy): Promise<void> => {
      const prefix = addressPrefix(call.clientAddress);
      const charged = await limits.charge(policy, prefix);
      if (charged === null) return;
      call.addressQuota = charged.quota;
      call.addHeaders(rateLimitFields([charged.quota]));
      if (charged.allowed) return;
      call.addressRefusal = rateLimited(charged);
      const isKnown = devices.isGenuine(deviceTokenOf?.(message) ?? "");
      if (!isKnown) refuse(call, policy, prefix, call.addressRefusal);
    };
    return {
      before(call, message) {
        const policy = policyOf(message);
        return policy === null ? undefined : charge(call, message, policy);
      },
      failure(call, error) {
        // That of the address has been told.
        const quota = error instanceof AppError && error !== call.addressRefusal ? error.quota : undefined;
        if (quota === undefined) return;
        const own = call.addressQuota === null ? [] : [call.addressQuota];
        call.addHeaders(rateLimitFields([...own, quota]));
      },
    };
  };
}
