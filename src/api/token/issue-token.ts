import type { Grants } from "../../domain/grants/grants.ts";
import type { TokenService } from "../../gen/countersign/v1/token_pb.ts";
import type { Handler } from "../handler.ts";
import { answerTokens } from "../auth/answer-tokens.ts";
import { readTokenRequest } from "../reading/read-token-request.ts";

/** TokenService.IssueToken: POST /auth/token. */
export function issueTokenRpc(grants: Pick<Grants, "issue">): Handler<typeof TokenService.method.issueToken> {
  return async (request, call) => answerTokens(call, await grants.issue(readTokenRequest(request, call)));
}
