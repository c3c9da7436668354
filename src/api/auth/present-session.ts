import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Session } from "../../domain/session/session.ts";
import { type Session as SessionMessage, SessionSchema } from "../../gen/countersign/v1/auth_pb.ts";

/** A session as the contract shows it. @param current whether it is the one of the request's access token */
export function presentSession(session: Session, current: boolean): SessionMessage {
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
