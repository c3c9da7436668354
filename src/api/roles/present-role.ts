import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Role } from "../../domain/role/role.ts";
import { type Role as RoleMessage, RoleSchema } from "../../gen/countersign/v1/roles_pb.ts";

/** A role as the contract shows it. */
export function presentRole(role: Role): RoleMessage {
  const { name, description, builtIn, createdAt, etag } = role;
  return create(RoleSchema, {
    name,
    description,
    permissions: [...role.permissions],
    scopes: [...role.scopes],
    builtIn,
    etag,
    ...(createdAt === null ? {} : { createdAt: timestampFromDate(createdAt) }),
  });
}
