import type { Interceptor } from "@connectrpc/connect";
import type { Access } from "../../gen/countersign/v1/options_pb.ts";
import type { RulesOfMethods } from "../method-rules.ts";
import { hasRedactedField } from "../redaction.ts";

/**
 * Keeps answers out of caches where they hold a secret (RFC 6749 section 5.1) or were made for one
 * caller. An RPC that sets Cache-Control itself keeps it.
 */
export function cacheControl(rules: RulesOfMethods): Interceptor {
  return (next) => async (request) => {
    const response = await next(request);
    if (response.header.has("cache-control")) return response;
    if (hasRedactedField(request.method.output)) {
      response.header.set("cache-control", "no-store");
      response.header.set("pragma", "no-cache");
    } else if (isForOneCaller(rules.get(request.method)?.access.rule.case)) {
      response.header.set("cache-control", "private, no-store");
    }
    return response;
  };
}

function isForOneCaller(rule: Access["rule"]["case"]): boolean {
  return rule === "bearer" || rule === "permission";
}
