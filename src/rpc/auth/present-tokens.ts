import { create } from "@bufbuild/protobuf";
import type { IssuedTokens } from "../../domain/login/issue-tokens.ts";
import { type TokenResponse, TokenResponseSchema } from "../../gen/countersign/v1/auth_pb.ts";

/** Tokens as RFC 6749 section 5.1 names them. */
export function presentTokens({ accessToken, refreshToken, expiresIn }: IssuedTokens): TokenResponse {
  return create(TokenResponseSchema, { accessToken, refreshToken, tokenType: "bearer", expiresIn });
}
