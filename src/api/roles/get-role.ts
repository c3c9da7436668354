import type { MethodImpl } from "@connectrpc/connect";
import type { Roles } from "../../domain/role/roles.ts";
import type { RoleService } from "../../gen/countersign/v1/roles_pb.ts";
import { presentRole } from "./present-role.ts";

/** RoleService.GetRole: GET /admin/roles/{name}. */
export function getRoleRpc(roles: Pick<Roles, "get">): MethodImpl<typeof RoleService.method.getRole> {
  return async ({ name }) => presentRole(await roles.get(name));
}
