import { create } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import type { ManageUsers } from "../../domain/user/manage-users.ts";
import type { UserService } from "../../gen/countersign/v1/users_pb.ts";
import { readChangeOf } from "./read-change-of.ts";
import type { Handler } from "../handler.ts";

/** UserService.ForgetUserDevices: POST /admin/users/{user_id}:forgetDevices. */
export function forgetUserDevicesRpc(
  users: Pick<ManageUsers, "forgetDevices">,
): Handler<typeof UserService.method.forgetUserDevices> {
  return async (request, call) => {
    await users.forgetDevices(readChangeOf(request, call));
    return create(EmptySchema);
  };
}
