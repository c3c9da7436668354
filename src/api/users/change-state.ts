import { create } from "@bufbuild/protobuf";
import { type Empty, EmptySchema } from "@bufbuild/protobuf/wkt";
import type { Call } from "../call.ts";
import type { ChangeOf } from "../../domain/user/manage-users.ts";
import type { ManagedUser } from "../../domain/user/managed-user.ts";
import type { ManagedUser as ManagedUserMessage } from "../../gen/countersign/v1/users_pb.ts";
import { presentManagedUser } from "./present-managed-user.ts";
import { readChangeOf } from "./read-change-of.ts";

/**
 * An RPC that changes a user's state and needs to be told nothing but which user it is: RequirePasswordChange,
 * SuspendUser, ReactivateUser and DeactivateUser.
 */
export function changeStateRpc(
  change: (of: ChangeOf) => Promise<ManagedUser>,
): (request: { readonly userId: string; readonly etag: string }, call: Call) => Promise<ManagedUserMessage> {
  return async (request, call) => presentManagedUser(await change(readChangeOf(request, call)));
}

/** The same for an RPC that answers nothing: DeleteUser, EndUserSessions and ForgetUserDevices. */
export function changeAloneRpc(
  change: (of: ChangeOf) => Promise<void>,
): (request: { readonly userId: string; readonly etag?: string }, call: Call) => Promise<Empty> {
  return async (request, call) => {
    await change(readChangeOf(request, call));
    return create(EmptySchema);
  };
}
