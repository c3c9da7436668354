import type { MethodImpl } from "@connectrpc/connect";
import type { Refresh } from "../../domain/login/refresh.ts";
import type { AuthService } from "../../gen/countersign/v1/auth_pb.ts";
import { readClientCredentials } from "../reading/client-credentials.ts";
import { readOrigin } from "../reading/read-origin.ts";
import { answerTokens } from "./answer-tokens.ts";

/** AuthService.Refresh: POST /auth/refresh. */
export function refreshRpc(refresh: Refresh): MethodImpl<typeof AuthService.method.refresh> {
  return async (request, context) => {
    const client = readClientCredentials(request, context);
    const { grantType, refreshToken, scope } = request;
    const origin = readOrigin(context);
    return answerTokens(context, await refresh({ grantType, refreshToken, scope, client, origin }));
  };
}
