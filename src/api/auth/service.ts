import type { Clients } from "../../domain/client/clients.ts";
import type { ChangePassword } from "../../domain/authentication/change-password.ts";
import type { ReplacePassword } from "../../domain/authentication/replace-password.ts";
import type { Grants } from "../../domain/grants/grants.ts";
import type { Sessions } from "../../domain/session/sessions.ts";
import { AuthService } from "../../gen/countersign/v1/auth_pb.ts";
import { serve, type ServiceEntry } from "../router.ts";
import { changePasswordRpc } from "./change-password.ts";
import { getCurrentUserRpc } from "./get-current-user.ts";
import { listSessionsRpc } from "./list-sessions.ts";
import { loginRpc } from "./login.ts";
import { logoutRpc } from "./logout.ts";
import { refreshRpc } from "./refresh.ts";
import { revokeAllSessionsRpc } from "./revoke-all-sessions.ts";
import { revokeSessionRpc } from "./revoke-session.ts";

/** The use cases of AuthService. */
export interface AuthServiceDeps {
  readonly grants: Grants;
  readonly changePassword: ChangePassword;
  readonly replacePassword: ReplacePassword;
  readonly clients: Clients;
  readonly sessions: Sessions;
}

/** Registers the RPCs of AuthService. */
export function createAuthService(deps: AuthServiceDeps): ServiceEntry {
  const { clients, sessions } = deps;
  return serve(AuthService, {
    login: loginRpc(deps.grants),
    refresh: refreshRpc(deps.grants),
    logout: logoutRpc(clients, sessions),
    changePassword: changePasswordRpc(deps.changePassword, deps.replacePassword),
    listSessions: listSessionsRpc(sessions),
    revokeSession: revokeSessionRpc(sessions),
    revokeAllSessions: revokeAllSessionsRpc(sessions),
    getCurrentUser: getCurrentUserRpc(),
  });
}
