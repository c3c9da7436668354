import { create } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import type { ManageUsers } from "../../domain/user/manage-users.ts";
import type { UserService } from "../../gen/countersign/v1/users_pb.ts";
import { readChangeOf } from "./read-change-of.ts";
import type { Handler } from "../handler.ts";

/** UserService.EndUserSessions: DELETE /admin/users/{user_id}/sessions. */
export function endUserSessionsRpc(
  users: Pick<ManageUsers, "endSessions">,
): Handler<typeof UserService.method.endUserSessions> {
  return async (request, call) => {
    await users.endSessions(readChangeOf(request, call));
    return create(EmptySchema);
  };
}
