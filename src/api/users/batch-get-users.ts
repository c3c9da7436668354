import { create } from "@bufbuild/protobuf";
import type { ManageUsers } from "../../domain/user/manage-users.ts";
import { BatchGetUsersResponseSchema, type UserService } from "../../gen/countersign/v1/users_pb.ts";
import { presentManagedUser } from "./present-managed-user.ts";
import type { Handler } from "../handler.ts";

/** UserService.BatchGetUsers: GET /admin/users:batchGet. */
export function batchGetUsersRpc(
  users: Pick<ManageUsers, "getMany">,
): Handler<typeof UserService.method.batchGetUsers> {
  return async ({ userIds }) => {
    const found = await users.getMany(userIds);
    return create(BatchGetUsersResponseSchema, { users: found.map(presentManagedUser) });
  };
}
