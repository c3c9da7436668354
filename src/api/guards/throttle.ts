import type { Interceptor } from "@connectrpc/connect";
import type { Audit } from "../../domain/audit/audit.ts";
import { byAnyone } from "../../domain/audit/audit-event.ts";
import type { DeviceTokens } from "../../domain/known-device/device-tokens.ts";
import { AppError, type Quota } from "../../errors/app-error.ts";
import { rateLimited, type Throttle } from "../../domain/throttle/throttle.ts";
import { addressPrefix } from "../../lib/ip-address.ts";
import { addressRefusalKey, callContextKey } from "../call-context.ts";
import { readOrigin } from "../reading/read-origin.ts";
import type { CallLimits } from "./call-limits.ts";
import { rateLimitFields } from "./rate-limit-fields.ts";

/**
 * Limits what one address may do at each endpoint, and shows the caller the state of the limit. A login that shows a
 * genuine device token goes on with its refusal: the domain knows whether the device is the user's.
 */
export function throttle(
  callLimits: CallLimits,
  limits: Throttle,
  devices: Pick<DeviceTokens, "isGenuine">,
  audit: Pick<Audit, "recordCounted">,
): Interceptor {
  return (next) => async (request) => {
    const policy = request.stream ? null : callLimits.policyOf(request.method, request.message);
    if (policy === null || request.stream) return next(request);
    const context = request.contextValues.get(callContextKey);
    const prefix = addressPrefix(context.clientAddress);
    const charge = await limits.charge(policy, prefix);
    const own = charge === null ? [] : [charge.quota];
    const tell = (quotas: readonly Quota[]): void => context.addHeaders(rateLimitFields(quotas));
    tell(own);
    if (charge?.allowed === false) {
      const refusal = rateLimited(charge);
      if (!devices.isGenuine(callLimits.deviceTokenOf(request.method, request.message) ?? "")) {
        if (policy === "login-address") {
          const origin = readOrigin({ values: request.contextValues, requestHeader: request.header });
          audit.recordCounted(
            { ...byAnyone(origin), type: "login.throttled", reason: "login_address" },
            prefix,
          );
        }
        throw refusal;
      }
      request.contextValues.set(addressRefusalKey, refusal);
    }
    try {
      return await next(request);
    } catch (error) {
      if (error instanceof AppError && error.quota !== undefined) tell([...own, error.quota]);
      throw error;
    }
  };
}
