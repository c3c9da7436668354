import type { TokenRequest } from "../../domain/grants/grants.ts";
import type { Call } from "../call.ts";
import { readClientCredentials } from "./client-credentials.ts";
import { readAdmission } from "./read-admission.ts";
import { readOrigin } from "./read-origin.ts";

/** The messages that ask for tokens: each has some of these fields. */
type TokenMessage = Pick<TokenRequest, "grantType" | "scope"> &
  Partial<Pick<TokenRequest, "username" | "password" | "refreshToken" | "deviceToken" | "rememberDevice">> & {
    readonly clientId: string;
    readonly clientSecret: string;
    readonly resource: readonly string[];
  };

/** What a call shows for the tokens that it asks for. @throws AppError malformed_request */
export function readTokenRequest(message: TokenMessage, call: Call): TokenRequest {
  const { username = "", password = "", refreshToken = "", deviceToken = "" } = message;
  return {
    client: readClientCredentials(message, call),
    grantType: message.grantType,
    scope: message.scope,
    resources: message.resource,
    username,
    password,
    refreshToken,
    deviceToken,
    rememberDevice: message.rememberDevice ?? false,
    addressRefusal: call.addressRefusal,
    origin: readOrigin(call),
    // Only a grant with a password hash asks for it.
    get admission() {
      return readAdmission(call);
    },
  };
}
