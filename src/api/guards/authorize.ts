import { reflect } from "@bufbuild/protobuf/reflect";
import type { Interceptor, UnaryRequest } from "@connectrpc/connect";
import { AppError } from "../../errors/app-error.ts";
import type { AuthenticateAdministrator } from "../../domain/token/authenticate-administrator.ts";
import type { AuthenticateBearer, Principal } from "../../domain/token/authenticate-bearer.ts";
import type { Access_Bearer } from "../../gen/countersign/v1/options_pb.ts";
import { parseCredentials } from "../../lib/http-text.ts";
import { administratorKey, callContextKey, principalKey } from "../call-context.ts";
import type { RulesOfMethods } from "../method-rules.ts";

/** Who can be called by whom. */
export interface AuthorizeDeps {
  readonly authenticate: AuthenticateBearer;
  readonly administrate: AuthenticateAdministrator;
}

/**
 * Authenticates and authorises every call by its RPC's access option. An RPC without one is refused:
 * forgetting opens no door.
 *
 * @param rules the rules of each RPC
 */
export function authorize(rules: RulesOfMethods, { authenticate, administrate }: AuthorizeDeps): Interceptor {
  return (next) => async (request) => {
    const { access, permission = null } = rules.get(request.method) ?? {};
    const rule = access?.rule;
    switch (rule?.case) {
      case "anyone":
        return next(request);
      case "bearer": {
        if (!request.stream && isSet(request, rule.value.unlessField)) return next(request);
        const principal = await authenticate(readBearer(request.header.get("authorization")));
        request.contextValues.get(callContextKey).recordUser(principal.user.id);
        requireRights(principal, rule.value);
        request.contextValues.set(principalKey, principal);
        return next(request);
      }
      case "permission": {
        if (permission === null) break;
        const token = readBearer(request.header.get("authorization"));
        const administrator = await administrate(token, permission);
        if (administrator.userId !== null) {
          request.contextValues.get(callContextKey).recordUser(administrator.userId);
        }
        request.contextValues.set(administratorKey, administrator);
        return next(request);
      }
      default:
    }
    throw new Error(`${request.method.parent.typeName}.${request.method.name} has no access option`);
  };
}

/** Whether a request shows another proof than a token. @param name a proto field; empty for none */
function isSet(request: UnaryRequest, name: string): boolean {
  if (name === "") return false;
  const field = request.method.input.fields.find((candidate) => candidate.name === name);
  return field !== undefined && reflect(request.method.input, request.message).isSet(field);
}

/** RFC 6750 section 2.1. A token anywhere but in the header is not looked at. */
function readBearer(authorization: string | null): string {
  const credentials = parseCredentials(authorization);
  if (credentials?.scheme !== "bearer") throw new AppError("missing_token", "An access token is required.");
  const { token68 } = credentials;
  if (token68 === null || token68 === "") {
    throw new AppError("invalid_token", "The access token is malformed.");
  }
  return token68;
}

function requireRights(principal: Principal, bearer: Access_Bearer): void {
  if (!bearer.scopes.every((scope) => principal.scopes.includes(scope))) {
    throw new AppError("insufficient_scope", "The access token lacks a scope that this operation needs.");
  }
  if (bearer.roles.length > 0 && !bearer.roles.some((role) => principal.user.roles.includes(role))) {
    throw new AppError("permission_denied", "The caller lacks a role that this operation needs.");
  }
}
