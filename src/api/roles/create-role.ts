import type { MethodImpl } from "@connectrpc/connect";
import type { Roles } from "../../domain/role/roles.ts";
import type { RoleService } from "../../gen/countersign/v1/roles_pb.ts";
import { requireAdministrator } from "../reading/require-administrator.ts";
import { presentRole } from "./present-role.ts";

/** RoleService.CreateRole: POST /admin/roles. */
export function createRoleRpc(
  roles: Pick<Roles, "create">,
): MethodImpl<typeof RoleService.method.createRole> {
  return async ({ name, description, permissions, scopes, requestId }, context) => {
    const administrator = requireAdministrator(context);
    const content = { description, permissions, scopes };
    const callerId = administrator.standing.id;
    const request = { callerId, rpc: "CreateRole", requestId, content: [name, content] };
    return presentRole(await roles.create(name, content, administrator, request));
  };
}
