import { create } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import type { RevokeToken } from "../../domain/token/revoke.ts";
import type { TokenService } from "../../gen/countersign/v1/token_pb.ts";
import type { Handler } from "../handler.ts";
import { readClientCredentials } from "../reading/client-credentials.ts";
import { readOrigin } from "../reading/read-origin.ts";

/** TokenService.Revoke: POST /auth/revoke. */
export function revokeRpc(revoke: RevokeToken): Handler<typeof TokenService.method.revoke> {
  return async (request, call) => {
    const client = readClientCredentials(request, call);
    await revoke({ client, token: request.token, origin: readOrigin(call) });
    return create(EmptySchema);
  };
}
