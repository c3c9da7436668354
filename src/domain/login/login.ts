import { foldName } from "../../lib/fold.ts";
import type { Audit } from "../audit/audit.ts";
import { byAnyone } from "../audit/audit-event.ts";
import { type ClientCredentials, type Clients, requireGrant } from "../client/clients.ts";
import type { Client } from "../client/client.ts";
import { grantScopes } from "../client/scope.ts";
import type { Events } from "../events.ts";
import type { DeviceOwner, DeviceTokens } from "../known-device/device-tokens.ts";
import { AppError } from "../../errors/app-error.ts";
import type { Decoys } from "../password/decoys.ts";
import { type Admission, admitAs, type Lane } from "../password/queue/admission.ts";
import type { PasswordHasher } from "../password/password-hasher.ts";
import { checkPassword, normalizePassword } from "../password/password-rules.ts";
import type { Origin } from "../session/session.ts";
import type { Sessions } from "../session/sessions.ts";
import type { Guesses } from "../throttle/guesses.ts";
import type { AccessTokenIssuer } from "../token/access-token.ts";
import type { User } from "../user/user.ts";
import type { LoginUser, Users } from "../user/users.ts";
import type { FailedLogin, RecordFailedLogin } from "./failed-login.ts";
import { type IssuedTokens, issueTokens } from "./issue-tokens.ts";

/** A login as it was asked for. Empty texts are left-out parameters. */
export interface LoginAttempt {
  readonly grantType: string;
  readonly username: string;
  readonly password: string;
  readonly scope: string;
  readonly client: ClientCredentials;
  /** What an earlier login gave this device; any text. */
  readonly deviceToken: string;
  /** Whether the answer is to make the device a known one, also where it showed no token. */
  readonly rememberDevice: boolean;
  /** The refusal that the caller's address has earned, which only a known device passes; null for none. */
  readonly addressRefusal: AppError | null;
  /** Where the login comes from. */
  readonly origin: Origin;
  /** How the login waits for its password hash. */
  readonly admission: Admission;
}

/** Signs a user in with a password (RFC 6749 section 4.3). */
export type Login = (attempt: LoginAttempt) => Promise<IssuedTokens>;

/** What a login is made of. */
export interface LoginDeps {
  readonly clients: Pick<Clients, "authenticate">;
  readonly users: Pick<Users, "findForLogin" | "rehash">;
  readonly hasher: PasswordHasher;
  readonly decoys: Pick<Decoys, "choose">;
  readonly sessions: Pick<Sessions, "begin">;
  readonly accessTokens: AccessTokenIssuer;
  readonly guesses: Guesses;
  readonly devices: Pick<DeviceTokens, "read" | "issue">;
  readonly audit: Pick<Audit, "recordCounted">;
  readonly recordFailure: RecordFailedLogin;
  readonly events: Events;
}

/**
 * @returns the login. It throws AppError: unsupported_grant_type, invalid_client,
 *   unauthorized_client, invalid_scope, validation_failed, invalid_credentials, account_*,
 *   rate_limited, overloaded, unavailable
 */
export function createLogin(deps: LoginDeps): Login {
  return async (attempt) => {
    requirePasswordGrant(attempt.grantType);
    const client = await deps.clients.authenticate(attempt.client, attempt.origin);
    requirePasswordClient(deps, client, attempt.origin);
    const scopes = grantScopes(attempt.scope, client);
    const password = normalizePassword(attempt.password);
    const fields = checkPassword(password, "password");
    if (fields.length > 0) throw new AppError("validation_failed", "A field is not valid.", { fields });

    const fail = (user: User | null, reason: FailedLogin["reason"]) =>
      deps.recordFailure({ username: attempt.username, client, origin: attempt.origin, user, reason });
    const found = await authenticate(deps, attempt, password, fail);
    await requireActive(found, fail);
    const tokens = await begin(deps, found, client, scopes, attempt.origin, fail);
    if (deps.hasher.isOutdated(found.passwordHash, password)) {
      deps.users
        .rehash(found, password, attempt.admission)
        .catch((error: unknown) => deps.events.emit("hash.update_failed", error));
    }
    const remember = attempt.rememberDevice || attempt.deviceToken !== "";
    return remember ? { ...tokens, deviceToken: deps.devices.issue(ownerOf(found)) } : tokens;
  };
}

function requirePasswordGrant(grantType: string): void {
  if (grantType === "" || grantType === "password") return;
  throw new AppError("unsupported_grant_type", "The grant type is not supported here; use password.");
}

/** No password is hashed for these, so that a caller could cause any number: they are counted. */
function requirePasswordClient({ audit }: LoginDeps, client: Client, origin: Origin): void {
  try {
    requireGrant(client, "password");
  } catch (error) {
    const event = { type: "login.failed", clientId: client.id, reason: "unauthorized_client" } as const;
    audit.recordCounted({ ...event, ...byAnyone(origin) }, `${client.id} ${origin.clientAddress}`);
    throw error;
  }
}

type Fail = (user: User | null, reason: FailedLogin["reason"]) => Promise<void>;

/** The user of a name and a password, within the limits. An unknown name costs the same and answers the same. */
async function authenticate(
  deps: LoginDeps,
  attempt: LoginAttempt,
  password: string,
  fail: Fail,
): Promise<LoginUser> {
  const { username, deviceToken, addressRefusal, origin } = attempt;
  const { signal } = attempt.admission;
  const name = foldName(username);
  const found = await deps.users.findForLogin(username);
  const deviceId = deps.devices.read(deviceToken, found === null ? nobody : ownerOf(found));
  const userId = found?.user.id ?? null;
  let reason: FailedLogin["reason"] = "unknown_name";
  const check = async (lane: Lane): Promise<LoginUser | null> => {
    const admission = admitAs(lane, attempt.admission, deviceId);
    const decoy = deps.decoys.choose(name);
    if (found === null) {
      await deps.hasher.pretend(decoy, password, admission);
      return null;
    }
    const verdict = await deps.hasher.verify(found.passwordHash, password, admission, decoy);
    if (verdict === "right") return found;
    reason = verdict === "wrong" ? "wrong_password" : "unreadable_hash";
    return null;
  };
  const user = await deps.guesses.run({ name, userId, deviceId, addressRefusal, origin, signal }, check);
  if (user !== null) return user;
  await fail(found?.user ?? null, reason);
  throw wrongCredentials();
}

const nobody: DeviceOwner = { userId: "", sessionEpoch: "" };

function ownerOf({ user, sessionEpoch }: LoginUser): DeviceOwner {
  return { userId: user.id, sessionEpoch };
}

function wrongCredentials(): AppError {
  return new AppError("invalid_credentials", "The username or the password is wrong.");
}

/** Told only to somebody who knows the password. */
async function requireActive({ user }: LoginUser, fail: Fail): Promise<void> {
  if (user.status === "active") return;
  const details = {
    pending: "The account has not been activated yet.",
    suspended: "The account is suspended.",
    deactivated: "The account has been deactivated.",
  } as const;
  await fail(user, `account_${user.status}`);
  throw new AppError(`account_${user.status}`, details[user.status]);
}

async function begin(
  deps: LoginDeps,
  found: LoginUser,
  client: Client,
  scopes: readonly string[],
  origin: Origin,
  fail: Fail,
): Promise<IssuedTokens> {
  const { user, sessionEpoch } = found;
  const session = await deps.sessions.begin({ user, sessionEpoch, client, scopes, origin });
  // A change of password, a suspension, a revocation or the client's deletion came in between: this
  // password is no longer known to be good.
  if (session === null) {
    await fail(user, "changed_meanwhile");
    throw wrongCredentials();
  }
  return issueTokens(deps.accessTokens, session, client, scopes);
}
