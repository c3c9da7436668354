import { create } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import type { MethodImpl } from "@connectrpc/connect";
import { byUser } from "../../domain/audit/audit-event.ts";
import type { Sessions } from "../../domain/session/sessions.ts";
import type { AuthService } from "../../gen/countersign/v1/auth_pb.ts";
import { readOrigin } from "../reading/read-origin.ts";
import { requirePrincipal } from "../reading/require-principal.ts";

/** AuthService.RevokeAllSessions: DELETE /auth/sessions. */
export function revokeAllSessionsRpc(
  sessions: Pick<Sessions, "endAll">,
): MethodImpl<typeof AuthService.method.revokeAllSessions> {
  return async (_request, context) => {
    const { user } = requirePrincipal(context);
    await sessions.endAll(user.id, byUser(user.id, readOrigin(context)));
    return create(EmptySchema);
  };
}
