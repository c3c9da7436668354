import { create } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import type { ManageUsers } from "../../domain/user/manage-users.ts";
import type { UserService } from "../../gen/countersign/v1/users_pb.ts";
import { readChangeOf } from "./read-change-of.ts";
import type { Handler } from "../handler.ts";

/** UserService.EndUserSession: DELETE /admin/users/{user_id}/sessions/{session_id}. */
export function endUserSessionRpc(
  users: Pick<ManageUsers, "endSession">,
): Handler<typeof UserService.method.endUserSession> {
  return async (request, call) => {
    await users.endSession(readChangeOf(request, call), request.sessionId);
    return create(EmptySchema);
  };
}
