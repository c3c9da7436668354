import { type DescService, getOption, hasOption } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ContextValues,
  createContextKey,
  type Interceptor,
} from "@connectrpc/connect";
import { type AccessRule, readAccessOption } from "../access-rule.ts";
import type { AccessToken } from "../access-token.ts";
import { access } from "../gen/countersign/v1/options_pb.ts";
import { presentHttpRefusal } from "../http-refusal.ts";
import type { Verifier } from "../verifier.ts";
import { type RefusalKind, VerifyError } from "../verify-error.ts";

const codes: Record<RefusalKind, Code> = {
  unauthenticated: Code.Unauthenticated,
  denied: Code.PermissionDenied,
  unavailable: Code.Unavailable,
};

const callerKey = createContextKey<AccessToken | null>(null, { description: "caller" });

/**
 * An interceptor that guards the RPCs of some services by their `option (countersign.v1.access)`. RPCs of others are
 * refused: silence means no.
 *
 * @throws Error where one of the services has an RPC without a rule
 */
export function createAccessInterceptor(verifier: Verifier, services: readonly DescService[]): Interceptor {
  const rules = new Map<string, AccessRule>();
  for (const { typeName, methods } of services) {
    for (const method of methods) {
      const name = `${typeName}/${method.name}`;
      const rule = hasOption(method, access) ? getOption(method, access).rule : undefined;
      rules.set(
        name,
        readAccessOption(name, rule?.case === undefined ? undefined : { [rule.case]: rule.value }),
      );
    }
  }
  return (next) => async (request) => {
    try {
      const rule = rules.get(`${request.service.typeName}/${request.method.name}`);
      if (rule === undefined) throw new VerifyError("no_rule");
      const authorization = request.header.get("authorization") ?? undefined;
      request.contextValues.set(callerKey, await verifier.authorize(authorization, rule));
    } catch (error) {
      throw error instanceof VerifyError ? presentError(error) : error;
    }
    return next(request);
  };
}

/**
 * Whose call it is.
 *
 * @throws Error where the RPC admits anyone
 */
export function callerOf(context: { readonly values: ContextValues }): AccessToken {
  const caller = context.values.get(callerKey);
  if (caller === null) throw new Error("This RPC does not ask for a token.");
  return caller;
}

function presentError(error: VerifyError): ConnectError {
  const challenge = presentHttpRefusal(error).headers["www-authenticate"];
  const metadata = challenge === undefined ? {} : { "www-authenticate": challenge };
  return new ConnectError(error.message, codes[error.kind], metadata);
}
