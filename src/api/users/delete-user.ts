import { create } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import type { ManageUsers } from "../../domain/user/manage-users.ts";
import type { UserService } from "../../gen/countersign/v1/users_pb.ts";
import { readChangeOf } from "./read-change-of.ts";
import type { Handler } from "../handler.ts";

/** UserService.DeleteUser: DELETE /admin/users/{user_id}. */
export function deleteUserRpc(
  users: Pick<ManageUsers, "delete">,
): Handler<typeof UserService.method.deleteUser> {
  return async (request, call) => {
    await users.delete(readChangeOf(request, call));
    return create(EmptySchema);
  };
}
