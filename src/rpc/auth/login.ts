import type { MethodImpl } from "@connectrpc/connect";
import type { Login } from "../../domain/login/login.ts";
import type { AuthService } from "../../gen/countersign/v1/auth_pb.ts";
import { readClientCredentials } from "../client-credentials.ts";
import { readAdmission } from "../read-admission.ts";
import { readOrigin } from "../read-origin.ts";
import { answerTokens } from "./answer-tokens.ts";

/** AuthService.Login: POST /auth/login. */
export function loginRpc(login: Login): MethodImpl<typeof AuthService.method.login> {
  return async (request, context) => {
    const client = readClientCredentials(request, context);
    const { grantType, username, password, scope } = request;
    const origin = readOrigin(context);
    const admission = readAdmission(context);
    return answerTokens(
      context,
      await login({ grantType, username, password, scope, client, origin, admission }),
    );
  };
}
