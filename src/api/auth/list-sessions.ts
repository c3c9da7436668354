import { create } from "@bufbuild/protobuf";
import type { Sessions } from "../../domain/session/sessions.ts";
import { type AuthService, ListSessionsResponseSchema } from "../../gen/countersign/v1/auth_pb.ts";
import type { Handler } from "../handler.ts";
import { requirePrincipal } from "../reading/require-principal.ts";
import { presentSession } from "./present-session.ts";

/** AuthService.ListSessions: GET /auth/sessions. */
export function listSessionsRpc(
  sessions: Pick<Sessions, "list">,
): Handler<typeof AuthService.method.listSessions> {
  return async (_request, call) => {
    const { user, sessionId } = requirePrincipal(call);
    const live = await sessions.list(user.id);
    return create(ListSessionsResponseSchema, {
      sessions: live.map((session) => presentSession(session, session.id === sessionId)),
    });
  };
}
