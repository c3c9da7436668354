import type { MethodImpl } from "@connectrpc/connect";
import { create } from "@bufbuild/protobuf";
import type { Login } from "../../domain/login/login.ts";
import { type AuthService, TokenResponseSchema } from "../../gen/countersign/v1/auth_pb.ts";
import { callContextKey } from "../call-context.ts";
import { readClientCredentials } from "../client-credentials.ts";

/** AuthService.Login: POST /auth/login. */
export function loginRpc(login: Login): MethodImpl<typeof AuthService.method.login> {
  return async (request, context) => {
    const client = readClientCredentials(context.requestHeader.get("authorization"), {
      id: request.clientId,
      secret: request.clientSecret,
    });
    const { grantType, username, password, scope } = request;
    const tokens = await login({ grantType, username, password, scope, client, signal: context.signal });
    context.values.get(callContextKey).recordUser(tokens.userId);
    return create(TokenResponseSchema, {
      accessToken: tokens.accessToken,
      refreshToken: tokens.refreshToken,
      tokenType: "bearer",
      expiresIn: tokens.expiresIn,
    });
  };
}
