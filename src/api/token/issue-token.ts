import type { MethodImpl } from "@connectrpc/connect";
import { AppError } from "../../errors/app-error.ts";
import type { GrantClientCredentials } from "../../domain/login/client-credentials.ts";
import type { Login } from "../../domain/login/login.ts";
import type { Refresh } from "../../domain/login/refresh.ts";
import type { TokenService } from "../../gen/countersign/v1/token_pb.ts";
import { answerTokens } from "../auth/answer-tokens.ts";
import { addressRefusalKey } from "../call-context.ts";
import { readClientCredentials } from "../reading/client-credentials.ts";
import { readAdmission } from "../reading/read-admission.ts";
import { readOrigin } from "../reading/read-origin.ts";
import { requireFields } from "../reading/require-fields.ts";

/** The grants of the token endpoint. */
export interface Grants {
  readonly login: Login;
  readonly refresh: Refresh;
  readonly clientCredentials: GrantClientCredentials;
}

/** TokenService.IssueToken: POST /auth/token. */
export function issueTokenRpc(grants: Grants): MethodImpl<typeof TokenService.method.issueToken> {
  return async (request, context) => {
    const client = readClientCredentials(request, context);
    const { grantType, username, password, refreshToken, scope } = request;
    const origin = readOrigin(context);
    switch (grantType) {
      case "password": {
        requireFields({ username, password });
        const admission = readAdmission(context);
        const { deviceToken, rememberDevice } = request;
        const addressRefusal = context.values.get(addressRefusalKey);
        const device = { deviceToken, rememberDevice, addressRefusal };
        const attempt = { grantType, username, password, scope, client, ...device, origin, admission };
        return answerTokens(context, await grants.login(attempt));
      }
      case "refresh_token":
        requireFields({ refresh_token: refreshToken });
        return answerTokens(
          context,
          await grants.refresh({ grantType, refreshToken, scope, client, origin }),
        );
      case "client_credentials":
        return answerTokens(context, await grants.clientCredentials({ client, scope, origin }));
      default:
        throw new AppError("unsupported_grant_type", "The grant type is not supported.");
    }
  };
}
