import type { MethodImpl } from "@connectrpc/connect";
import type { Login } from "../../domain/login/login.ts";
import type { AuthService } from "../../gen/countersign/v1/auth_pb.ts";
import { addressRefusalKey } from "../call-context.ts";
import { readClientCredentials } from "../reading/client-credentials.ts";
import { readAdmission } from "../reading/read-admission.ts";
import { readOrigin } from "../reading/read-origin.ts";
import { answerTokens } from "./answer-tokens.ts";

/** AuthService.Login: POST /auth/login. */
export function loginRpc(login: Login): MethodImpl<typeof AuthService.method.login> {
  return async (request, context) => {
    const client = readClientCredentials(request, context);
    const { grantType, username, password, scope, deviceToken, rememberDevice } = request;
    const origin = readOrigin(context);
    const admission = readAdmission(context);
    const addressRefusal = context.values.get(addressRefusalKey);
    const device = { deviceToken, rememberDevice, addressRefusal };
    const attempt = { grantType, username, password, scope, client, ...device, origin, admission };
    return answerTokens(context, await login(attempt));
  };
}
