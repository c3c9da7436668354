import type { MethodImpl } from "@connectrpc/connect";
import type { Login } from "../../domain/login/login.ts";
import type { AuthService } from "../../gen/countersign/v1/auth_pb.ts";
import { callContextKey } from "../call-context.ts";
import { readClientCredentials } from "../client-credentials.ts";
import { readOrigin } from "../read-origin.ts";
import { presentTokens } from "./present-tokens.ts";

/** AuthService.Login: POST /auth/login. */
export function loginRpc(login: Login): MethodImpl<typeof AuthService.method.login> {
  return async (request, context) => {
    const client = readClientCredentials(context.requestHeader.get("authorization"), {
      id: request.clientId,
      secret: request.clientSecret,
    });
    const { grantType, username, password, scope } = request;
    const { signal } = context;
    const origin = readOrigin(context);
    const tokens = await login({ grantType, username, password, scope, client, origin, signal });
    context.values.get(callContextKey).recordUser(tokens.userId);
    return presentTokens(tokens);
  };
}
