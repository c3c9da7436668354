import type { Roles } from "../../domain/role/roles.ts";
import type { RoleService } from "../../gen/countersign/v1/roles_pb.ts";
import type { Handler } from "../handler.ts";
import { requireAdministrator } from "../reading/require-administrator.ts";
import { presentRole } from "./present-role.ts";

/** RoleService.CreateRole: POST /admin/roles. */
export function createRoleRpc(roles: Pick<Roles, "create">): Handler<typeof RoleService.method.createRole> {
  return async ({ name, description, permissions, scopes, requestId }, call) => {
    const administrator = requireAdministrator(call);
    const content = { description, permissions, scopes };
    const callerId = administrator.standing.id;
    const request = { callerId, rpc: "CreateRole", requestId, content: [name, content] };
    return presentRole(await roles.create(name, content, administrator, request));
  };
}
