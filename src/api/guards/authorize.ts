import { type DescField, type DescMethod, isFieldSet } from "@bufbuild/protobuf";
import { AppError } from "../../errors/app-error.ts";
import type { Permission } from "../../domain/role/permissions.ts";
import type { AuthenticateAdministrator } from "../../domain/token/authenticate-administrator.ts";
import type { AuthenticateBearer, Principal } from "../../domain/token/authenticate-bearer.ts";
import type { Access_Bearer } from "../../gen/countersign/v1/options_pb.ts";
import { parseCredentials } from "../../lib/http-text.ts";
import type { Call } from "../call.ts";
import { rpcName } from "../rpc-name.ts";
import type { Guard, MakeGuard } from "./guard.ts";

/** Who can be called by whom. */
export interface AuthorizeDeps {
  readonly authenticate: AuthenticateBearer;
  readonly administrate: AuthenticateAdministrator;
}

/**
 * Authenticates and authorises every call by its RPC's access option. An RPC without one stops the start:
 * forgetting opens no door.
 */
export function authorize({ authenticate, administrate }: AuthorizeDeps): MakeGuard {
  return (method, { access: { rule }, permission }) => {
    if (rule.case === "anyone") return null;
    if (rule.case === "bearer") {
      return requireBearer(authenticate, rule.value, proofOf(method, rule.value));
    }
    if (rule.case === "permission" && permission !== null) return requirePermission(administrate, permission);
    throw new Error(`${rpcName(method)} does not say who may call it`);
  };
}

function requirePermission(administrate: AuthenticateAdministrator, permission: Permission): Guard {
  const admit = async (call: Call): Promise<void> => {
    const administrator = await administrate(readBearer(call.header("authorization")), permission);
    if (administrator.userId !== null) call.recordUser(administrator.userId);
    call.administrator = administrator;
  };
  return { before: admit, during: admit };
}

/** @param proof the field of a request that is taken as proof instead of a token; undefined for none */
function requireBearer(
  authenticate: AuthenticateBearer,
  bearer: Access_Bearer,
  proof: DescField | undefined,
): Guard {
  const admit = async (call: Call): Promise<void> => {
    const principal = await authenticate(readBearer(call.header("authorization")));
    call.recordUser(principal.user.id);
    requireRights(principal, bearer);
    call.principal = principal;
  };
  if (proof === undefined) return { before: admit, during: admit };
  return {
    before: (call, message) => (message !== null && isFieldSet(message, proof) ? undefined : admit(call)),
  };
}

function proofOf({ input }: DescMethod, { unlessField }: Access_Bearer): DescField | undefined {
  return unlessField === "" ? undefined : input.fields.find(({ name }) => name === unlessField);
}

/** RFC 6750 section 2.1. A token anywhere but in the header is not looked at. */
function readBearer(authorization: string | undefined): string {
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
