import { create } from "@bufbuild/protobuf";
import type { MethodImpl } from "@connectrpc/connect";
import type { SigningKeys } from "../../domain/key/signing-keys.ts";
import { JwkSetSchema, type TokenService } from "../../gen/countersign/v1/token_pb.ts";

const maxAgeSeconds = 300;

/** TokenService.GetJwks: GET /.well-known/jwks.json. */
export function getJwksRpc(keys: SigningKeys): MethodImpl<typeof TokenService.method.getJwks> {
  const set = create(JwkSetSchema, { keys: [...keys.published] });
  return (_request, context) => {
    context.responseHeader.set("cache-control", `public, max-age=${maxAgeSeconds}`);
    return set;
  };
}
