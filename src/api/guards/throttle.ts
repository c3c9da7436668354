import { type DescMethod, isMessage, type Message } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import type { Audit } from "../../domain/audit/audit.ts";
import { byAnyone } from "../../domain/audit/audit-event.ts";
import type { DeviceTokens } from "../../domain/known-device/device-tokens.ts";
import { AppError, type Quota } from "../../errors/app-error.ts";
import type { PolicyName } from "../../domain/throttle/policies.ts";
import { rateLimited, type Throttle } from "../../domain/throttle/throttle.ts";
import { AuthService } from "../../gen/countersign/v1/auth_pb.ts";
import { IssueTokenRequestSchema, TokenService } from "../../gen/countersign/v1/token_pb.ts";
import { addressPrefix } from "../../lib/ip-address.ts";
import { addressRefusalKey, callContextKey } from "../call-context.ts";
import { readLoginDeviceToken } from "../reading/login-device-token.ts";
import { readOrigin } from "../reading/read-origin.ts";
import { rateLimitFields } from "./rate-limit-fields.ts";

type AddressPolicy = Extract<PolicyName, `${string}-address`>;

const policyOf: ReadonlyMap<DescMethod, AddressPolicy> = new Map<DescMethod, AddressPolicy>([
  [AuthService.method.login, "login-address"],
  [AuthService.method.refresh, "refresh-address"],
  [AuthService.method.logout, "logout-address"],
  [AuthService.method.changePassword, "change-password-address"],
  [TokenService.method.issueToken, "token-address"],
  [TokenService.method.introspect, "introspect-address"],
  [TokenService.method.revoke, "revoke-address"],
]);

/** The token endpoint's grants count as what they are, so that it is no way around the limits of a login. */
const policyOfGrant: ReadonlyMap<string, AddressPolicy> = new Map<string, AddressPolicy>([
  ["password", "login-address"],
  ["refresh_token", "refresh-address"],
]);

/**
 * Limits what one address may do at each endpoint, and tells the caller how it stands. A login that shows a
 * genuine device token goes on with its refusal: the domain knows whether the device is the user's.
 */
export function throttle(
  limits: Throttle,
  devices: Pick<DeviceTokens, "isGenuine">,
  audit: Pick<Audit, "recordCounted">,
): Interceptor {
  return (next) => async (request) => {
    const policy = request.stream ? undefined : findPolicy(request.method, request.message);
    if (policy === undefined || request.stream) return next(request);
    const context = request.contextValues.get(callContextKey);
    const tell = (quotas: readonly (Quota | null | undefined)[]): void =>
      context.addHeaders(rateLimitFields(quotas.filter((quota) => quota !== null && quota !== undefined)));
    const prefix = addressPrefix(context.clientAddress);
    const charge = await limits.charge(policy, prefix);
    tell([charge.quota]);
    if (!charge.allowed) {
      const refusal = rateLimited(charge);
      if (!devices.isGenuine(readLoginDeviceToken(request.message) ?? "")) {
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
      if (error instanceof AppError && error.quota !== undefined) tell([charge.quota, error.quota]);
      throw error;
    }
  };
}

function findPolicy(method: DescMethod, message: Message): AddressPolicy | undefined {
  const grant = isMessage(message, IssueTokenRequestSchema) ? message.grantType : "";
  return policyOfGrant.get(grant) ?? policyOf.get(method);
}
