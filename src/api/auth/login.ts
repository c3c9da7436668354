import type { Grants } from "../../domain/grants/grants.ts";
import type { AuthService } from "../../gen/countersign/v1/auth_pb.ts";
import type { Handler } from "../handler.ts";
import { readTokenRequest } from "../reading/read-token-request.ts";
import { answerTokens } from "./answer-tokens.ts";

/** AuthService.Login: POST /auth/login. */
export function loginRpc(grants: Pick<Grants, "issueBy">): Handler<typeof AuthService.method.login> {
  return async (request, call) =>
    answerTokens(call, await grants.issueBy("password", readTokenRequest(request, call)));
}
