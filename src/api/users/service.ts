import type { ManageUsers } from "../../domain/user/manage-users.ts";
import { UserService } from "../../gen/countersign/v1/users_pb.ts";
import type { FewStreams } from "../reading/few-streams.ts";
import { serve, type ServiceEntry } from "../router.ts";
import { batchGetUsersRpc } from "./batch-get-users.ts";
import { changeAloneRpc, changeStateRpc } from "./change-state.ts";
import { createUserRpc } from "./create-user.ts";
import { endUserSessionRpc } from "./end-user-session.ts";
import { findUserRpc } from "./find-user.ts";
import { getUserRpc } from "./get-user.ts";
import { importUsersRpc } from "./import-users.ts";
import { listUserSessionsRpc } from "./list-user-sessions.ts";
import { listUsersRpc } from "./list-users.ts";
import { setUserPasswordRpc } from "./set-user-password.ts";
import { updateUserRpc } from "./update-user.ts";

/** Registers the RPCs of UserService. */
export function createUserService({
  manageUsers: users,
  streams,
  streamIdleMs,
}: {
  readonly manageUsers: ManageUsers;
  readonly streams: FewStreams;
  /** How long a caller who brings users in may send nothing. */
  readonly streamIdleMs: number;
}): ServiceEntry {
  return serve(UserService, {
    createUser: createUserRpc(users),
    getUser: getUserRpc(users),
    findUser: findUserRpc(users),
    batchGetUsers: batchGetUsersRpc(users),
    listUsers: listUsersRpc(users),
    updateUser: updateUserRpc(users),
    setUserPassword: setUserPasswordRpc(users),
    requirePasswordChange: changeStateRpc((of) => users.requirePasswordChange(of)),
    suspendUser: changeStateRpc((of) => users.suspend(of)),
    reactivateUser: changeStateRpc((of) => users.reactivate(of)),
    deactivateUser: changeStateRpc((of) => users.deactivate(of)),
    deleteUser: changeAloneRpc((of) => users.delete(of)),
    importUsers: importUsersRpc(users, streams, streamIdleMs),
    listUserSessions: listUserSessionsRpc(users),
    endUserSession: endUserSessionRpc(users),
    endUserSessions: changeAloneRpc((of) => users.endSessions(of)),
    forgetUserDevices: changeAloneRpc((of) => users.forgetDevices(of)),
  });
}
