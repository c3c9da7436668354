import { AppError } from "../../errors/app-error.ts";
import { type GrantType, isGrantType } from "../client/client.ts";
import type { ClientCredentials } from "../client/clients.ts";
import type { Admission } from "../password/queue/admission.ts";
import type { Origin } from "../session/session.ts";
import type { IssuedTokens } from "../token/issue-tokens.ts";

/** A request for tokens (RFC 6749 section 3.2), whatever its grant. Empty texts are left-out parameters. */
export interface TokenRequest {
  readonly grantType: string;
  readonly client: ClientCredentials;
  readonly scope: string;
  /** Whom the access token is to be for (RFC 8707); empty for all of the client's audiences. */
  readonly resources: readonly string[];
  readonly username: string;
  readonly password: string;
  readonly refreshToken: string;
  /** What an earlier sign-in gave this device; any text. */
  readonly deviceToken: string;
  /** Whether the answer is to make the device a known one, also where it showed no token. */
  readonly rememberDevice: boolean;
  /** The refusal that the caller's address has earned, which only a known device passes; null for none. */
  readonly addressRefusal: AppError | null;
  /** Where the request comes from. */
  readonly origin: Origin;
  /** How the request waits for a password hash. */
  readonly admission: Admission;
}

/** One grant: checks what a request shows for it, and issues tokens. Throws AppError. */
export type Grant = (request: TokenRequest) => Promise<IssuedTokens>;

/** All grants. */
export interface Grants {
  /** Runs the grant that a request names. @throws AppError unsupported_grant_type, and what the grant throws */
  issue(request: TokenRequest): Promise<IssuedTokens>;
  /**
   * Runs one grant, for a request that may leave its name out.
   *
   * @throws AppError unsupported_grant_type where it names another, and what the grant throws
   */
  issueBy(type: GrantType, request: TokenRequest): Promise<IssuedTokens>;
}

/** @param grants every grant that a client can be registered for */
export function createGrants(grants: Readonly<Record<GrantType, Grant>>): Grants {
  return {
    async issue(request) {
      const { grantType } = request;
      if (!isGrantType(grantType)) {
        throw new AppError("unsupported_grant_type", "The grant type is not supported.");
      }
      return grants[grantType](request);
    },
    async issueBy(type, request) {
      if (request.grantType !== "" && request.grantType !== type) {
        throw new AppError("unsupported_grant_type", `The grant type is not supported here; use ${type}.`);
      }
      return grants[type](request);
    },
  };
}
