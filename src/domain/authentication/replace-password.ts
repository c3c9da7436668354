import { refuseFields } from "../../errors/invalid.ts";
import { byUser } from "../audit/audit-event.ts";
import type { Audiences } from "../client/audiences.ts";
import { type ClientCredentials, type Clients, requireGrant } from "../client/clients.ts";
import type { Sessions } from "../session/sessions.ts";
import type { AccessTokenIssuer } from "../token/access-token.ts";
import { type IssuedTokens, issueTokens } from "../token/issue-tokens.ts";
import type { Users } from "../user/users.ts";
import type { Authenticate } from "./authenticate.ts";
import { wrongCredentials } from "./failed-login.ts";
import type { ShownPassword } from "./factors/password.ts";

/** A change of a password by somebody who shows it as at a login, since a login is refused until it is changed. */
export interface PasswordReplacement extends Omit<ShownPassword, "client"> {
  readonly client: ClientCredentials;
  readonly newPassword: string;
}

/** Changes the password of whoever shows the present one: every session ends, and a new one begins. */
export type ReplacePassword = (shown: PasswordReplacement) => Promise<IssuedTokens>;

/**
 * @returns the change. It throws what a login with a password throws, and AppError: validation_failed for the new
 *   password, conflict
 */
export function createReplacePassword(deps: {
  readonly clients: Pick<Clients, "authenticate">;
  readonly authenticate: Authenticate;
  readonly users: Pick<Users, "checkNewPassword" | "changePassword">;
  readonly sessions: Pick<Sessions, "begin" | "forgetUser">;
  readonly accessTokens: AccessTokenIssuer;
  readonly audiences: Pick<Audiences, "ofUsers">;
}): ReplacePassword {
  return async ({ newPassword, ...shown }) => {
    const { origin, username, admission } = shown;
    refuseFields(await deps.users.checkNewPassword(newPassword, username, "new_password"));
    const client = await deps.clients.authenticate(shown.client, origin);
    requireGrant(client, "password");
    const { found, methods } = await deps.authenticate({ ...shown, client });
    const { user } = found;
    const by = { ...byUser(user.id, origin), clientId: client.id };
    const sessionEpoch = await deps.users.changePassword(found, newPassword, admission, by);
    await deps.sessions.forgetUser(user.id);
    const start = {
      user,
      sessionEpoch,
      amr: methods,
      client,
      scopes: [],
      origin,
      reason: "password_changed",
    };
    const session = await deps.sessions.begin(start);
    if (session === null) throw wrongCredentials();
    const audiences = deps.audiences.ofUsers(client);
    return issueTokens(deps.accessTokens, session, client, { asked: [], scopes: [], audiences });
  };
}
