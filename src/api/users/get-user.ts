import type { ManageUsers } from "../../domain/user/manage-users.ts";
import type { UserService } from "../../gen/countersign/v1/users_pb.ts";
import { presentManagedUser } from "./present-managed-user.ts";
import type { Handler } from "../handler.ts";

/** UserService.GetUser: GET /admin/users/{user_id}. */
export function getUserRpc(users: Pick<ManageUsers, "get">): Handler<typeof UserService.method.getUser> {
  return async ({ userId }) => presentManagedUser(await users.get(userId));
}
