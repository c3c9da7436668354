import { create } from "@bufbuild/protobuf";
import { grantTypes } from "../../domain/client/client.ts";
import { ServerMetadataSchema, type TokenService } from "../../gen/countersign/v1/token_pb.ts";
import type { Handler } from "../handler.ts";

const maxAgeSeconds = 3600;
const confidential = ["client_secret_basic", "client_secret_post"];

/**
 * TokenService.GetServerMetadata: GET /.well-known/oauth-authorization-server (RFC 8414).
 *
 * @param restUrl what REST paths are appended to
 */
export function getServerMetadataRpc(
  issuer: string,
  restUrl: string,
): Handler<typeof TokenService.method.getServerMetadata> {
  const metadata = create(ServerMetadataSchema, {
    issuer,
    tokenEndpoint: `${restUrl}/auth/token`,
    jwksUri: `${restUrl}/.well-known/jwks.json`,
    responseTypesSupported: [],
    grantTypesSupported: [...grantTypes],
    tokenEndpointAuthMethodsSupported: [...confidential, "none"],
    introspectionEndpoint: `${restUrl}/auth/introspect`,
    introspectionEndpointAuthMethodsSupported: confidential,
    revocationEndpoint: `${restUrl}/auth/revoke`,
    revocationEndpointAuthMethodsSupported: [...confidential, "none"],
  });
  return (_request, call) => {
    call.setHeader("cache-control", `public, max-age=${maxAgeSeconds}`);
    return metadata;
  };
}
