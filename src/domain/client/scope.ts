import { AppError } from "../errors.ts";
import type { Client } from "./client.ts";

// RFC 6749 section 3.3: scope = scope-token *( SP scope-token ), without quotes and backslashes.
const form = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

/**
 * Reads the scope of a request and grants it.
 *
 * @param scope names separated by single spaces; empty asks for none
 * @returns the names, each once, in the order asked
 * @throws AppError invalid_scope where it is malformed, or a name is not the client's to ask for
 */
export function grantScopes(scope: string, client: Client): string[] {
  if (scope === "") return [];
  const names = form.test(scope) ? [...new Set(scope.split(" "))] : null;
  if (names === null || names.some((name) => !client.scopes.includes(name))) {
    throw new AppError("invalid_scope", "A scope is unknown, malformed, or not for this client.");
  }
  return names;
}
