import type { ManageUsers } from "../../domain/user/manage-users.ts";
import { invalidFields } from "../../errors/invalid.ts";
import type { UserService } from "../../gen/countersign/v1/users_pb.ts";
import { presentManagedUser } from "./present-managed-user.ts";
import type { Handler } from "../handler.ts";

/** UserService.FindUser: GET /admin/users:find. */
export function findUserRpc(users: Pick<ManageUsers, "find">): Handler<typeof UserService.method.findUser> {
  return async ({ username, email }) => {
    if ((username === "") === (email === "")) {
      const detail = "or email must be set, and not both";
      throw invalidFields([{ field: "username", code: "required", detail }]);
    }
    const found = email === "" ? users.find(username, "username") : users.find(email, "email");
    return presentManagedUser(await found);
  };
}
