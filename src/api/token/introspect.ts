import { create } from "@bufbuild/protobuf";
import type { ActiveToken, Introspect } from "../../domain/token/introspect.ts";
import {
  type IntrospectResponse,
  IntrospectResponseSchema,
  type TokenService,
} from "../../gen/countersign/v1/token_pb.ts";
import type { Handler } from "../handler.ts";
import { readClientCredentials } from "../reading/client-credentials.ts";
import { readOrigin } from "../reading/read-origin.ts";

/** TokenService.Introspect: POST /auth/introspect. */
export function introspectRpc(
  introspect: Introspect,
  issuer: string,
): Handler<typeof TokenService.method.introspect> {
  return async (request, call) => {
    call.setHeader("cache-control", "no-store");
    const client = readClientCredentials(request, call);
    const token = await introspect({ client, token: request.token, origin: readOrigin(call) });
    return token === null ? create(IntrospectResponseSchema, { active: false }) : present(token, issuer);
  };
}

function present(token: ActiveToken, issuer: string): IntrospectResponse {
  return create(IntrospectResponseSchema, {
    active: true,
    clientId: token.clientId,
    exp: token.expiresAt,
    iat: token.issuedAt,
    sub: token.subject,
    iss: issuer,
    ...(token.scopes.length === 0 ? {} : { scope: token.scopes.join(" ") }),
    ...(token.tokenType === "access_token" ? { tokenType: "bearer" } : {}),
    ...(token.username === null ? {} : { username: token.username }),
    aud: [...token.audiences],
    roles: [...token.roles],
    ...(token.id === null ? {} : { jti: token.id }),
    ...(token.sessionId === null ? {} : { sid: token.sessionId }),
  });
}
