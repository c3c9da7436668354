import type { MethodImpl } from "@connectrpc/connect";
import type { Grants } from "../../domain/grants/grants.ts";
import type { AuthService } from "../../gen/countersign/v1/auth_pb.ts";
import { readTokenRequest } from "../reading/read-token-request.ts";
import { answerTokens } from "./answer-tokens.ts";

/** AuthService.Login: POST /auth/login. */
export function loginRpc(grants: Pick<Grants, "issueBy">): MethodImpl<typeof AuthService.method.login> {
  return async (request, context) =>
    answerTokens(context, await grants.issueBy("password", readTokenRequest(request, context)));
}
