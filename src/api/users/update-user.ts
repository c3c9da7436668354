import type { ManageUsers } from "../../domain/user/manage-users.ts";
import type { UserContent } from "../../domain/user/user-content.ts";
import type { UpdateUserRequest, UserService } from "../../gen/countersign/v1/users_pb.ts";
import { readUpdateMask } from "../reading/update-mask.ts";
import { presentManagedUser } from "./present-managed-user.ts";
import { readChangeOf } from "./read-change-of.ts";
import type { Handler } from "../handler.ts";

/** UserService.UpdateUser: PATCH /admin/users/{user_id}. */
export function updateUserRpc(
  users: Pick<ManageUsers, "update">,
): Handler<typeof UserService.method.updateUser> {
  return async (request, call) =>
    presentManagedUser(await users.update(readChangeOf(request, call), readChanges(request)));
}

function readChanges(request: UpdateUserRequest): Partial<UserContent> {
  const { username, email, displayName, locale, roles, claims } = request;
  const mask = readUpdateMask(request.updateMask, {
    username,
    email,
    display_name: displayName,
    locale,
    roles: roles.length === 0 ? undefined : roles,
    claims,
  });
  return {
    ...(mask.has("username") ? { username: username ?? null } : {}),
    ...(mask.has("email") ? { email: email ?? null } : {}),
    ...(mask.has("display_name") ? { displayName: displayName ?? null } : {}),
    ...(mask.has("locale") ? { locale: locale ?? null } : {}),
    ...(mask.has("roles") ? { roles: [...new Set(roles)] } : {}),
    ...(mask.has("claims") ? { claims: claims ?? null } : {}),
  };
}
