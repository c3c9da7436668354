import { create } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import type { MethodImpl } from "@connectrpc/connect";
import type { Sessions } from "../../domain/session/sessions.ts";
import type { AuthService } from "../../gen/countersign/v1/auth_pb.ts";
import { requirePrincipal } from "../require-principal.ts";

/** AuthService.RevokeAllSessions: DELETE /auth/sessions. */
export function revokeAllSessionsRpc(
  sessions: Pick<Sessions, "endAll">,
): MethodImpl<typeof AuthService.method.revokeAllSessions> {
  return async (_request, context) => {
    await sessions.endAll(requirePrincipal(context).user.id);
    return create(EmptySchema);
  };
}
