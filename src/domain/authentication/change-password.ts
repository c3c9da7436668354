import { foldName } from "../../lib/fold.ts";
import type { Audit } from "../audit/audit.ts";
import { byUser } from "../audit/audit-event.ts";
import type { Audiences } from "../client/audiences.ts";
import type { Clients } from "../client/clients.ts";
import { AppError } from "../../errors/app-error.ts";
import { refuseFields } from "../../errors/invalid.ts";
import { type Admission, admitAs } from "../password/queue/admission.ts";
import type { PasswordHasher } from "../password/password-hasher.ts";
import { checkPassword, normalizePassword } from "../password/password-rules.ts";
import type { RoleScopes } from "../role/role-scopes.ts";
import type { Origin } from "../session/session.ts";
import type { Sessions } from "../session/sessions.ts";
import type { Guesses } from "../throttle/guesses.ts";
import type { AccessTokenIssuer } from "../token/access-token.ts";
import type { Principal } from "../token/authenticate-bearer.ts";
import { type IssuedTokens, issueTokens } from "../token/issue-tokens.ts";
import { loginNameOf } from "../user/user.ts";
import type { Users } from "../user/users.ts";
import { passwordMethod } from "./factors/password.ts";

/** A change of the caller's own password. */
export interface PasswordChange {
  readonly principal: Principal;
  readonly currentPassword: string;
  readonly newPassword: string;
  readonly origin: Origin;
  /** How the change waits for its password hashes. */
  readonly admission: Admission;
}

/** Changes the caller's own password: every session ends, and a new one begins. */
export type ChangePassword = (change: PasswordChange) => Promise<IssuedTokens>;

/**
 * @returns the change. It throws AppError: validation_failed (also for a wrong current password),
 *   invalid_token, conflict, rate_limited, overloaded, unavailable
 */
export function createChangePassword(deps: {
  readonly clients: Pick<Clients, "find">;
  readonly users: Pick<Users, "findForLogin" | "checkNewPassword" | "changePassword">;
  readonly hasher: Pick<PasswordHasher, "verify">;
  readonly sessions: Pick<Sessions, "begin" | "forgetUser">;
  readonly accessTokens: AccessTokenIssuer;
  readonly roleScopes: RoleScopes;
  readonly audiences: Pick<Audiences, "ofUsers">;
  readonly guesses: Guesses;
  readonly audit: Pick<Audit, "recordAlone">;
}): ChangePassword {
  return async ({ principal, currentPassword, newPassword, origin, admission }) => {
    const username = loginNameOf(principal.user);
    const current = normalizePassword(currentPassword);
    refuseFields([
      ...checkPassword(current, "current_password"),
      ...(await deps.users.checkNewPassword(newPassword, username, "new_password")),
    ]);
    const client = await deps.clients.find(principal.clientId);
    const found = await deps.users.findForLogin(username);
    if (found === null || found.user.id !== principal.user.id || client === null) throw gone();
    const { user } = found;
    const { sessionId, clientId } = principal;
    const by = { ...byUser(user.id, origin), sessionId, clientId };
    // A live session is as good as a known device: nobody else can use its attempts up.
    const guesser = {
      name: foldName(username),
      userId: user.id,
      deviceId: sessionId,
      origin,
      signal: admission.signal,
    };
    let reason = "wrong_password";
    const isRight = await deps.guesses.run({ ...guesser, addressRefusal: null }, async (lane) => {
      const admitted = admitAs(lane, admission, sessionId);
      const verdict = await deps.hasher.verify(found.passwordHash, current, admitted);
      if (verdict === "unreadable") reason = "unreadable_hash";
      return verdict === "right" ? true : null;
    });
    if (isRight === null) {
      await deps.audit.recordAlone({
        type: "password.change_failed",
        ...by,
        userId: user.id,
        reason,
      });
      refuseFields([{ field: "current_password", code: "wrong", detail: "is wrong" }]);
    }
    const asked = principal.scopes;
    const scopes = await deps.roleScopes.grant(asked, user.roles);
    const sessionEpoch = await deps.users.changePassword(found, newPassword, admission, by);
    await deps.sessions.forgetUser(user.id);
    const session = await deps.sessions.begin({
      user,
      sessionEpoch,
      amr: [passwordMethod],
      client,
      scopes,
      origin,
      reason: "password_changed",
    });
    if (session === null) throw gone();
    const audiences = deps.audiences.ofUsers(client);
    return issueTokens(deps.accessTokens, session, client, {
      asked,
      scopes,
      audiences,
    });
  };
}

function gone(): AppError {
  return new AppError("invalid_token", "The access token is invalid, expired or revoked.");
}
