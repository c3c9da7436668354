import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Session } from "../../domain/session/session.ts";
import type { Sessions } from "../../domain/session/sessions.ts";
import {
  type AuthService,
  ListSessionsResponseSchema,
  type Session as SessionMessage,
  SessionSchema,
} from "../../gen/countersign/v1/auth_pb.ts";
import type { Handler } from "../handler.ts";
import { requirePrincipal } from "../reading/require-principal.ts";

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

function presentSession(session: Session, current: boolean): SessionMessage {
  return create(SessionSchema, {
    id: session.id,
    clientId: session.clientId,
    current,
    createdAt: timestampFromDate(session.createdAt),
    lastUsedAt: timestampFromDate(session.lastUsedAt),
    idleExpiresAt: timestampFromDate(session.idleExpiresAt),
    expiresAt: timestampFromDate(session.expiresAt),
    ...(session.clientAddress === null ? {} : { clientAddress: session.clientAddress }),
    ...(session.userAgent === null ? {} : { userAgent: session.userAgent }),
  });
}
