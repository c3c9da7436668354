import type { Roles } from "../../domain/role/roles.ts";
import type { RoleService } from "../../gen/countersign/v1/roles_pb.ts";
import type { Handler } from "../handler.ts";
import { presentRole } from "./present-role.ts";

/** RoleService.GetRole: GET /admin/roles/{name}. */
export function getRoleRpc(roles: Pick<Roles, "get">): Handler<typeof RoleService.method.getRole> {
  return async ({ name }) => presentRole(await roles.get(name));
}
