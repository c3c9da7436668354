import type { RoleContent } from "../../domain/role/role.ts";
import type { Roles } from "../../domain/role/roles.ts";
import type { RoleService, UpdateRoleRequest } from "../../gen/countersign/v1/roles_pb.ts";
import type { Handler } from "../handler.ts";
import { requireAdministrator } from "../reading/require-administrator.ts";
import { readUpdateMask } from "../reading/update-mask.ts";
import { presentRole } from "./present-role.ts";

/** RoleService.UpdateRole: PATCH /admin/roles/{name}. */
export function updateRoleRpc(roles: Pick<Roles, "update">): Handler<typeof RoleService.method.updateRole> {
  return async (request, call) => {
    const changes = readChanges(request);
    return presentRole(await roles.update(request.name, changes, requireAdministrator(call), request.etag));
  };
}

function readChanges(request: UpdateRoleRequest): Partial<RoleContent> {
  const { description, permissions, scopes } = request;
  const mask = readUpdateMask(request.updateMask, {
    description: description === "" ? undefined : description,
    permissions: permissions.length === 0 ? undefined : permissions,
    scopes: scopes.length === 0 ? undefined : scopes,
  });
  return {
    ...(mask.has("description") ? { description } : {}),
    ...(mask.has("permissions") ? { permissions } : {}),
    ...(mask.has("scopes") ? { scopes } : {}),
  };
}
