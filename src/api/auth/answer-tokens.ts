import { create } from "@bufbuild/protobuf";
import type { IssuedTokens } from "../../domain/token/issue-tokens.ts";
import { type TokenResponse, TokenResponseSchema } from "../../gen/countersign/v1/auth_pb.ts";
import type { Call } from "../call.ts";

/** Answers with tokens, as RFC 6749 section 5.1 names them, and notes whose they are. */
export function answerTokens(call: Call, tokens: IssuedTokens): TokenResponse {
  const { accessToken, refreshToken, expiresIn, userId, scope, deviceToken } = tokens;
  if (userId !== null) call.recordUser(userId);
  return create(TokenResponseSchema, {
    accessToken,
    tokenType: "bearer",
    expiresIn,
    ...(refreshToken === null ? {} : { refreshToken }),
    ...(scope === null ? {} : { scope }),
    ...(deviceToken === undefined ? {} : { deviceToken }),
  });
}
