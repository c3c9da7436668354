import { create } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import { byUser } from "../../domain/audit/audit-event.ts";
import type { Sessions } from "../../domain/session/sessions.ts";
import type { AuthService } from "../../gen/countersign/v1/auth_pb.ts";
import type { Handler } from "../handler.ts";
import { readOrigin } from "../reading/read-origin.ts";
import { requirePrincipal } from "../reading/require-principal.ts";

/** AuthService.RevokeAllSessions: DELETE /auth/sessions. */
export function revokeAllSessionsRpc(
  sessions: Pick<Sessions, "endAll">,
): Handler<typeof AuthService.method.revokeAllSessions> {
  return async (_request, call) => {
    const { user } = requirePrincipal(call);
    await sessions.endAll(user.id, byUser(user.id, readOrigin(call)));
    return create(EmptySchema);
  };
}
