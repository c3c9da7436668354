import { create } from "@bufbuild/protobuf";
import type { ManageUsers } from "../../domain/user/manage-users.ts";
import { ListUserSessionsResponseSchema, type UserService } from "../../gen/countersign/v1/users_pb.ts";
import { presentSession } from "../auth/present-session.ts";
import type { Handler } from "../handler.ts";

/** UserService.ListUserSessions: GET /admin/users/{user_id}/sessions. */
export function listUserSessionsRpc(
  users: Pick<ManageUsers, "listSessions">,
): Handler<typeof UserService.method.listUserSessions> {
  return async ({ userId }) => {
    const live = await users.listSessions(userId);
    return create(ListUserSessionsResponseSchema, {
      sessions: live.map((one) => presentSession(one, false)),
    });
  };
}
