import { isScopeToken } from "../../lib/scope-token.ts";
import { AppError } from "../../errors/app-error.ts";
import type { Client } from "./client.ts";

/**
 * Reads the scope of a request and grants it.
 *
 * @param scope names separated by single spaces; empty asks for none
 * @returns the names, each once, in the order asked
 * @throws AppError invalid_scope where it is malformed, or a name is not the client's to ask for
 */
export function grantScopes(scope: string, client: Client): string[] {
  return scope === "" ? [] : readScopes(scope, client.scopes);
}

/** RFC 6749 section 3.3: scope = scope-token *( SP scope-token ). */
function readScopes(scope: string, allowed: readonly string[]): string[] {
  const names = [...new Set(scope.split(" "))];
  if (!names.every((name) => isScopeToken(name) && allowed.includes(name))) {
    throw new AppError("invalid_scope", "A scope is unknown, malformed, or more than may be asked for.");
  }
  return names;
}

/**
 * Reads the scope of a refresh: as much as the session has, or fewer (RFC 6749 section 6).
 *
 * @param scope names separated by single spaces; empty asks for all that the session has
 * @throws AppError invalid_scope where it is malformed, or a name is not the session's
 */
export function narrowScopes(scope: string, granted: readonly string[]): readonly string[] {
  return scope === "" ? granted : readScopes(scope, granted);
}
