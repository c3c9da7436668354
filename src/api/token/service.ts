import type { Grants } from "../../domain/grants/grants.ts";
import type { SigningKeys } from "../../domain/key/signing-keys.ts";
import type { Introspect } from "../../domain/token/introspect.ts";
import type { RevokeToken } from "../../domain/token/revoke.ts";
import { TokenService } from "../../gen/countersign/v1/token_pb.ts";
import { serve, type ServiceEntry } from "../router.ts";
import { getJwksRpc } from "./get-jwks.ts";
import { getServerMetadataRpc } from "./get-server-metadata.ts";
import { introspectRpc } from "./introspect.ts";
import { issueTokenRpc } from "./issue-token.ts";
import { revokeRpc } from "./revoke.ts";

/** The use cases of TokenService, and the addresses that its answers name. */
export interface TokenServiceDeps {
  readonly grants: Grants;
  readonly introspect: Introspect;
  readonly revoke: RevokeToken;
  readonly keys: SigningKeys;
  readonly issuer: string;
  /** Where the REST paths begin. */
  readonly restUrl: string;
}

/** Registers the RPCs of TokenService. */
export function createTokenService(deps: TokenServiceDeps): ServiceEntry {
  return serve(TokenService, {
    issueToken: issueTokenRpc(deps.grants),
    introspect: introspectRpc(deps.introspect, deps.issuer),
    revoke: revokeRpc(deps.revoke),
    getServerMetadata: getServerMetadataRpc(deps.issuer, deps.restUrl),
    getJwks: getJwksRpc(deps.keys),
  });
}
