import type { AppError } from "../../../errors/app-error.ts";
import { refuseFields } from "../../../errors/invalid.ts";
import { foldName } from "../../../lib/fold.ts";
import type { Client } from "../../client/client.ts";
import type { Events } from "../../events.ts";
import type { DeviceTokens } from "../../known-device/device-tokens.ts";
import type { Decoys } from "../../password/decoys.ts";
import type { PasswordHasher } from "../../password/password-hasher.ts";
import { checkPassword, normalizePassword } from "../../password/password-rules.ts";
import { type Admission, admitAs, type Lane } from "../../password/queue/admission.ts";
import type { AuthMethod, Origin } from "../../session/session.ts";
import type { Guesses } from "../../throttle/guesses.ts";
import type { LoginUser, Users } from "../../user/users.ts";
import { type FailedLogin, type RecordFailedLogin, wrongCredentials } from "../failed-login.ts";
import { noOwner, ownerOf } from "../device-owner.ts";
import type { Factor } from "./factor.ts";

/** A password by its name in RFC 8176. */
export const passwordMethod: AuthMethod = "pwd";

/** A name and a password, as somebody shows them. */
export interface ShownPassword {
  readonly username: string;
  readonly password: string;
  /** What an earlier sign-in gave this device; any text. */
  readonly deviceToken: string;
  /** The refusal that the caller's address has earned, which only a known device passes; null for none. */
  readonly addressRefusal: AppError | null;
  readonly client: Client;
  readonly origin: Origin;
  /** How the check waits for its password hash. */
  readonly admission: Admission;
}

/** What passwords are checked with. */
export interface PasswordFactorDeps {
  readonly users: Pick<Users, "findForLogin" | "rehash">;
  readonly hasher: PasswordHasher;
  readonly decoys: Pick<Decoys, "choose">;
  readonly guesses: Guesses;
  readonly devices: Pick<DeviceTokens, "read">;
  readonly recordFailure: RecordFailedLogin;
  readonly events: Events;
}

/**
 * @returns the factor. Its check throws AppError: validation_failed, invalid_credentials, rate_limited, overloaded,
 *   unavailable
 */
export function createPasswordFactor(deps: PasswordFactorDeps): Factor<ShownPassword> {
  return {
    method: passwordMethod,
    async check(shown) {
      const password = normalizePassword(shown.password);
      refuseFields(checkPassword(password, "password"));
      const found = await findByPassword(deps, shown, password);
      return {
        found,
        renew() {
          if (!deps.hasher.isOutdated(found.passwordHash, password)) return;
          deps.users
            .rehash(found, password, shown.admission)
            .catch((error: unknown) => deps.events.emit("hash.update_failed", error));
        },
      };
    },
  };
}

/** The user of a name and a password, within the limits. An unknown name costs the same and answers the same. */
async function findByPassword(
  deps: PasswordFactorDeps,
  shown: ShownPassword,
  password: string,
): Promise<LoginUser> {
  const { username, deviceToken, addressRefusal, client, origin } = shown;
  const { signal } = shown.admission;
  const name = foldName(username);
  const found = await deps.users.findForLogin(username);
  const deviceId = deps.devices.read(deviceToken, found === null ? noOwner : ownerOf(found));
  const userId = found?.user.id ?? null;
  let reason: FailedLogin["reason"] = "unknown_name";
  const check = async (lane: Lane): Promise<LoginUser | null> => {
    const admission = admitAs(lane, shown.admission, deviceId);
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
  const proved = await deps.guesses.run({ name, userId, deviceId, addressRefusal, origin, signal }, check);
  if (proved !== null) return proved;
  await deps.recordFailure({ username, client, origin, user: found?.user ?? null, reason });
  throw wrongCredentials();
}
