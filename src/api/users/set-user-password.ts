import type { ManageUsers } from "../../domain/user/manage-users.ts";
import type { UserService } from "../../gen/countersign/v1/users_pb.ts";
import { readAdmission } from "../reading/read-admission.ts";
import { presentManagedUser } from "./present-managed-user.ts";
import { readChangeOf } from "./read-change-of.ts";
import type { Handler } from "../handler.ts";

/** UserService.SetUserPassword: POST /admin/users/{user_id}:setPassword. */
export function setUserPasswordRpc(
  users: Pick<ManageUsers, "setPassword">,
): Handler<typeof UserService.method.setUserPassword> {
  return async (request, call) => {
    const { password, mustChangePassword } = request;
    const of = readChangeOf(request, call);
    return presentManagedUser(await users.setPassword(of, password, mustChangePassword, readAdmission(call)));
  };
}
