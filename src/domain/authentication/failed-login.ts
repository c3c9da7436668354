import { AppError } from "../../errors/app-error.ts";
import type { Audit } from "../audit/audit.ts";
import { type AuditSource, byAnyone, byUser } from "../audit/audit-event.ts";
import type { NameHmac } from "../audit/name-hmac.ts";
import type { Client } from "../client/client.ts";
import type { Origin } from "../session/session.ts";
import type { User } from "../user/user.ts";

/** A login that has failed, after the password was hashed. */
export interface FailedLogin {
  /** The name as it was typed. */
  readonly username: string;
  readonly client: Client;
  readonly origin: Origin;
  /** Null where the name is no user's. */
  readonly user: User | null;
  readonly reason:
    | "unknown_name"
    | "wrong_password"
    | "unreadable_hash"
    | "account_pending"
    | "account_suspended"
    | "account_deactivated"
    | "password_change_required"
    | "changed_meanwhile";
}

/**
 * Tells the audit trail of a failed login, before its answer. Each has cost its caller a place in the hash
 * queue, so that the trail grows no faster than passwords are hashed.
 *
 * @throws AppError unavailable: a failure that cannot be written down is not answered either
 */
export type RecordFailedLogin = (failed: FailedLogin) => Promise<void>;

/** Builds it on the audit trail. */
export function createRecordFailedLogin(
  audit: Pick<Audit, "recordAlone">,
  nameHmac: NameHmac,
): RecordFailedLogin {
  return ({ username, client, origin, user, reason }) =>
    audit.recordAlone({
      type: "login.failed",
      ...sourceOf(user, reason, origin),
      ...(user === null ? { nameHmac: nameHmac(username) } : { userId: user.id }),
      clientId: client.id,
      reason,
    });
}

/** Only the account's owner is told of its status: the password was right. */
function sourceOf(user: User | null, reason: FailedLogin["reason"], origin: Origin): AuditSource {
  return user !== null && isToldToOwner(reason) ? byUser(user.id, origin) : byAnyone(origin);
}

function isToldToOwner(reason: FailedLogin["reason"]): boolean {
  return reason.startsWith("account_") || reason === "password_change_required";
}

/** One answer for an unknown name and for a wrong password. */
export function wrongCredentials(): AppError {
  return new AppError("invalid_credentials", "The username or the password is wrong.");
}
