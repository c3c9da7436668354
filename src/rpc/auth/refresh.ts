import type { MethodImpl } from "@connectrpc/connect";
import type { Refresh } from "../../domain/login/refresh.ts";
import type { AuthService } from "../../gen/countersign/v1/auth_pb.ts";
import { callContextKey } from "../call-context.ts";
import { readClientCredentials } from "../client-credentials.ts";
import { presentTokens } from "./present-tokens.ts";

/** AuthService.Refresh: POST /auth/refresh. */
export function refreshRpc(refresh: Refresh): MethodImpl<typeof AuthService.method.refresh> {
  return async (request, context) => {
    const client = readClientCredentials(context.requestHeader.get("authorization"), {
      id: request.clientId,
      secret: request.clientSecret,
    });
    const { grantType, refreshToken, scope } = request;
    const tokens = await refresh({ grantType, refreshToken, scope, client });
    context.values.get(callContextKey).recordUser(tokens.userId);
    return presentTokens(tokens);
  };
}
