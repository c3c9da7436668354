import { create } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import type { Roles } from "../../domain/role/roles.ts";
import type { RoleService } from "../../gen/countersign/v1/roles_pb.ts";
import type { Handler } from "../handler.ts";
import { requireAdministrator } from "../reading/require-administrator.ts";

/** RoleService.DeleteRole: DELETE /admin/roles/{name}. */
export function deleteRoleRpc(roles: Pick<Roles, "delete">): Handler<typeof RoleService.method.deleteRole> {
  return async ({ name, etag }, call) => {
    await roles.delete(name, requireAdministrator(call), etag);
    return create(EmptySchema);
  };
}
