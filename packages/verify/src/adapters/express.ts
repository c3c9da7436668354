import type { IncomingMessage, ServerResponse } from "node:http";
import type { AccessRule } from "../access-rule.ts";
import type { AccessToken } from "../access-token.ts";
import type { Verifier } from "../verifier.ts";
import { admit, type Admitted } from "./http.ts";

const callers = new WeakMap<object, AccessToken>();

/** A middleware of Express, Connect's old framework, and others of that form. */
export type Middleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => Promise<void>;

/** Lets requests on that the rule admits, and answers the others. {@link callerOf} says whose they are. */
export function requireToken(verifier: Verifier, rule: AccessRule = {}): Middleware {
  return async (request, response, next) => {
    let admitted: Admitted | null;
    try {
      admitted = await admit(verifier, rule, request, response);
    } catch (error) {
      next(error);
      return;
    }
    if (admitted === null) return;
    if (admitted.caller !== null) callers.set(request, admitted.caller);
    next();
  };
}

/** @throws Error where no {@link requireToken} has admitted the request by a token */
export function callerOf(request: IncomingMessage): AccessToken {
  const caller = callers.get(request);
  if (caller === undefined) throw new Error("No middleware has asked this request for a token.");
  return caller;
}
