import type { Roles } from "../../domain/role/roles.ts";
import { RoleService } from "../../gen/countersign/v1/roles_pb.ts";
import { serve, type ServiceEntry } from "../router.ts";
import { createRoleRpc } from "./create-role.ts";
import { deleteRoleRpc } from "./delete-role.ts";
import { getRoleRpc } from "./get-role.ts";
import { listRolesRpc } from "./list-roles.ts";
import { updateRoleRpc } from "./update-role.ts";

/** Registers the RPCs of RoleService. */
export function createRoleService({ roles }: { readonly roles: Roles }): ServiceEntry {
  return serve(RoleService, {
    createRole: createRoleRpc(roles),
    getRole: getRoleRpc(roles),
    listRoles: listRolesRpc(roles),
    updateRole: updateRoleRpc(roles),
    deleteRole: deleteRoleRpc(roles),
  });
}
