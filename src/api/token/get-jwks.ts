import { create } from "@bufbuild/protobuf";
import { jwksMaxAgeSeconds, type SigningKeys } from "../../domain/key/signing-keys.ts";
import { JwkSetSchema, type TokenService } from "../../gen/countersign/v1/token_pb.ts";
import type { Handler } from "../handler.ts";

/** TokenService.GetJwks: GET /.well-known/jwks.json. */
export function getJwksRpc(keys: SigningKeys): Handler<typeof TokenService.method.getJwks> {
  return (_request, call) => {
    call.setHeader("cache-control", `public, max-age=${jwksMaxAgeSeconds}`);
    return create(JwkSetSchema, { keys: [...keys.published] });
  };
}
