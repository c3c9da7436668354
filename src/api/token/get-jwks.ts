import { create } from "@bufbuild/protobuf";
import type { MethodImpl } from "@connectrpc/connect";
import { jwksMaxAgeSeconds, type SigningKeys } from "../../domain/key/signing-keys.ts";
import { JwkSetSchema, type TokenService } from "../../gen/countersign/v1/token_pb.ts";

/** TokenService.GetJwks: GET /.well-known/jwks.json. */
export function getJwksRpc(keys: SigningKeys): MethodImpl<typeof TokenService.method.getJwks> {
  return (_request, context) => {
    context.responseHeader.set("cache-control", `public, max-age=${jwksMaxAgeSeconds}`);
    return create(JwkSetSchema, { keys: [...keys.published] });
  };
}
