import { create } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import type { MethodImpl } from "@connectrpc/connect";
import type { RevokeToken } from "../../domain/token/revoke.ts";
import type { TokenService } from "../../gen/countersign/v1/token_pb.ts";
import { readClientCredentials } from "../reading/client-credentials.ts";
import { readOrigin } from "../reading/read-origin.ts";

/** TokenService.Revoke: POST /auth/revoke. */
export function revokeRpc(revoke: RevokeToken): MethodImpl<typeof TokenService.method.revoke> {
  return async (request, context) => {
    const client = readClientCredentials(request, context);
    await revoke({ client, token: request.token, origin: readOrigin(context) });
    return create(EmptySchema);
  };
}
