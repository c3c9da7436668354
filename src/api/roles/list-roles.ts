import { create } from "@bufbuild/protobuf";
import { isRoleName } from "../../domain/role/role.ts";
import type { Roles } from "../../domain/role/roles.ts";
import { ListRolesResponseSchema, type RoleService } from "../../gen/countersign/v1/roles_pb.ts";
import type { Handler } from "../handler.ts";
import { notOurs, presentPage, readPage } from "../reading/page-token.ts";
import { presentRole } from "./present-role.ts";

/** RoleService.ListRoles: GET /admin/roles. */
export function listRolesRpc(roles: Pick<Roles, "list">): Handler<typeof RoleService.method.listRoles> {
  return async (request) => {
    const page = readPage(request, "roles");
    const found = await roles.list(readName(page.after), page.size + 1);
    const { items, nextPageToken } = presentPage(found, page, "roles", ({ name }) => [name]);
    return create(ListRolesResponseSchema, { roles: items.map(presentRole), nextPageToken });
  };
}

function readName(after: readonly string[] | null): string {
  if (after === null) return "";
  const [name = ""] = after;
  if (after.length !== 1 || !isRoleName(name)) throw notOurs();
  return name;
}
