import type { Access } from "../../gen/countersign/v1/options_pb.ts";
import { hasRedactedField } from "../redaction.ts";
import type { MakeGuard } from "./guard.ts";

/**
 * Keeps answers out of caches where they hold a secret (RFC 6749 section 5.1) or were made for one
 * caller. A handler that sets Cache-Control itself has the last word.
 */
export const cacheControl: MakeGuard = (method, { access }) => {
  if (hasRedactedField(method.output)) {
    return {
      before(call) {
        call.setHeader("cache-control", "no-store");
        call.setHeader("pragma", "no-cache");
        return undefined;
      },
    };
  }
  if (!isForOneCaller(access)) return null;
  return {
    before(call) {
      call.setHeader("cache-control", "private, no-store");
      return undefined;
    },
  };
};

function isForOneCaller({ rule }: Access): boolean {
  return rule.case === "bearer" || rule.case === "permission";
}
