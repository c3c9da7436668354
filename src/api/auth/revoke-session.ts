import { create } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import { byUser } from "../../domain/audit/audit-event.ts";
import { notFound } from "../../errors/invalid.ts";
import type { Sessions } from "../../domain/session/sessions.ts";
import type { AuthService } from "../../gen/countersign/v1/auth_pb.ts";
import type { Handler } from "../handler.ts";
import { readOrigin } from "../reading/read-origin.ts";
import { requirePrincipal } from "../reading/require-principal.ts";

/** AuthService.RevokeSession: DELETE /auth/sessions/{session_id}. */
export function revokeSessionRpc(
  sessions: Pick<Sessions, "end">,
): Handler<typeof AuthService.method.revokeSession> {
  return async ({ sessionId }, call) => {
    const { user } = requirePrincipal(call);
    const by = byUser(user.id, readOrigin(call));
    if (!(await sessions.end(user.id, sessionId, { how: "revoked", by }))) throw notFound("session");
    return create(EmptySchema);
  };
}
