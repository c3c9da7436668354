import { create } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import type { MethodImpl } from "@connectrpc/connect";
import type { Roles } from "../../domain/role/roles.ts";
import type { RoleService } from "../../gen/countersign/v1/roles_pb.ts";
import { requireAdministrator } from "../reading/require-administrator.ts";

/** RoleService.DeleteRole: DELETE /admin/roles/{name}. */
export function deleteRoleRpc(
  roles: Pick<Roles, "delete">,
): MethodImpl<typeof RoleService.method.deleteRole> {
  return async ({ name, etag }, context) => {
    await roles.delete(name, requireAdministrator(context), etag);
    return create(EmptySchema);
  };
}
