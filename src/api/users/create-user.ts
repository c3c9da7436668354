import type { ManagedUserDraft, ManageUsers } from "../../domain/user/manage-users.ts";
import type { CreateUserRequest, UserService } from "../../gen/countersign/v1/users_pb.ts";
import { invalidFields } from "../../errors/invalid.ts";
import { readAdmission } from "../reading/read-admission.ts";
import { requireAdministrator } from "../reading/require-administrator.ts";
import { presentManagedUser } from "./present-managed-user.ts";
import type { Handler } from "../handler.ts";

/** UserService.CreateUser: POST /admin/users. */
export function createUserRpc(
  users: Pick<ManageUsers, "create">,
): Handler<typeof UserService.method.createUser> {
  return async (request, call) => {
    const administrator = requireAdministrator(call);
    const draft = readDraft(request);
    const { password: _password, ...content } = draft;
    const repeatable = {
      callerId: administrator.standing.id,
      rpc: "CreateUser",
      requestId: request.requestId,
      content,
    };
    return presentManagedUser(await users.create(draft, administrator, repeatable, readAdmission(call)));
  };
}

function readDraft(request: CreateUserRequest): ManagedUserDraft {
  const { username, email, displayName, locale, roles, claims, password, mustChangePassword, status } =
    request;
  if (status !== "" && status !== "active" && status !== "pending") {
    throw invalidFields([{ field: "status", code: "bad_form", detail: "must be active or pending" }]);
  }
  return {
    username: username ?? null,
    email: email ?? null,
    displayName: displayName ?? null,
    locale: locale ?? null,
    roles: [...new Set(roles)],
    claims: claims ?? null,
    password: password === "" ? null : password,
    mustChangePassword,
    status: status === "" ? "active" : status,
  };
}
