import { randomInt } from "node:crypto";
import { foldName } from "../../lib/fold.ts";
import type { AuditEvent, AuditSource } from "../audit/audit-event.ts";
import { AppError, type FieldError } from "../../errors/app-error.ts";
import { notFound, refuseFields } from "../../errors/invalid.ts";
import { type Admission, ownWork } from "../password/queue/admission.ts";
import type { Decoys } from "../password/decoys.ts";
import type { PasswordHasher } from "../password/password-hasher.ts";
import { checkNewPassword, normalizePassword } from "../password/password-rules.ts";
import { parseHashFormat } from "../password/stored-formats.ts";
import { type ChangeUsersDeps, createChangeUsers } from "./change-users.ts";
import { hashNewPassword } from "./new-password.ts";
import { checkEmail, checkRoles, checkUsername } from "./names.ts";
import { type User, type UserId, userIds, type UserProfile, type UserStatus } from "./user.ts";
import { foldNames, type LoginUser, type NewUser } from "./user-store.ts";

export type { LoginUser } from "./user-store.ts";

/** A user as it is asked for. */
export interface UserDraft {
  readonly username: string;
  readonly email: string | null;
  readonly password: string;
  readonly status: UserStatus;
  readonly roles: readonly string[];
}

/**
 * The users. Every rule about names and new passwords is kept here, whoever asks. `by` is who does it, for the
 * audit trail.
 */
export interface Users {
  /** @param name a username or an e-mail address, as it was typed */
  findForLogin(name: string): Promise<LoginUser | null>;
  /** Creates the first user; null where there is any user. @throws AppError validation_failed */
  createFirst(draft: UserDraft, by: AuditSource): Promise<UserProfile | null>;
  /** The user of a name or an e-mail address. @throws AppError not_found */
  get(name: string): Promise<User>;
  isEmpty(): Promise<boolean>;
  /**
   * Changes a password that its owner has just given, and ends the user's sessions.
   *
   * @returns the user's new counter
   * @throws AppError overloaded, conflict where something else has ended the sessions meanwhile
   */
  changePassword(
    found: LoginUser,
    password: string,
    admission: Admission,
    by: AuditSource & Pick<AuditEvent, "sessionId" | "clientId">,
  ): Promise<string>;
  /** Finds what is wrong with a new password of a user's. */
  checkNewPassword(password: string, username: string, field: string): Promise<FieldError[]>;
  /**
   * Ends the sessions of all users, and those of logins that are under way, also where the users' counters
   * have been put back with the database. May be run again where it was cut off.
   */
  endAllSessions(by: AuditSource): Promise<{ readonly users: number; readonly sessionsEnded: number }>;
  /** Replaces an outdated hash by a current one of the same password. */
  rehash(user: LoginUser, password: string, admission: Admission): Promise<void>;
  /**
   * Folds names anew that an earlier version has folded in another way, so that they are found as they are typed.
   *
   * @returns the ids of users whose name is another user's, folded so: they keep theirs as it was
   */
  refoldNames(): Promise<UserId[]>;
  /** Tells the decoys which hash formats are in use now. */
  refreshDecoys(decoys: Decoys): Promise<void>;
}

/** @param deps the stores, what hashes passwords, and the audit trail */
export function createUsers(deps: ChangeUsersDeps & { readonly hasher: PasswordHasher }): Users {
  const { store, hasher } = deps;
  const changes = createChangeUsers(deps);

  const find = async (name: string): Promise<LoginUser> =>
    requireUser(await store.findForLogin(foldName(name)));

  return {
    findForLogin: (name) => store.findForLogin(foldName(name)),
    createFirst: async (draft, by) => changes.createFirst(await prepare(hasher, draft), by),
    get: async (name) => (await find(name)).user,
    isEmpty: () => store.isEmpty(),
    checkNewPassword: (password, username, field) =>
      checkNewPassword(normalizePassword(password), { field, username }),
    async changePassword(found, password, admission, by) {
      const hash = await hasher.hash(normalizePassword(password), admission);
      const epoch = await changes.changePassword(found, hash, by);
      if (epoch === null) throw new AppError("conflict", "The account has changed meanwhile. Sign in again.");
      return epoch;
    },
    endAllSessions: (by) => changes.endAllSessions(by),
    async rehash(found, password, { key, lane }) {
      // The call is over when this ends, and its signal with it.
      const next = await hasher.hash(password, { key, lane });
      await store.rehash(found.user.id, found.passwordHash, next);
    },
    async refoldNames() {
      const clashing: UserId[] = [];
      for (const { id, username, email } of await store.findOddlyFolded()) {
        if (!(await store.setFolded({ id, ...foldNames(username, email) }))) clashing.push(id);
      }
      return clashing;
    },
    async refreshDecoys(decoys) {
      const counts = await store.countHashFormats();
      // A hash that cannot be read costs what one of the others costs.
      decoys.update(counts.filter(({ format }) => parseHashFormat(format) !== null));
    },
  };
}

function requireUser<Found>(found: Found | null): Found {
  if (found === null) throw notFound("user");
  return found;
}

async function prepare(hasher: PasswordHasher, draft: UserDraft): Promise<NewUser> {
  const { username, email, status, roles } = draft;
  refuse([...checkUsername(username), ...(email === null ? [] : checkEmail(email)), ...checkRoles(roles)]);
  return {
    id: userIds.create(),
    username,
    email,
    ...foldNames(username, email),
    passwordHash: await hashNewPassword(hasher, draft.password, username, ownWork),
    status,
    roles,
    displayName: null,
    locale: null,
    claims: null,
    mustChangePassword: false,
  };
}

/** A random password for people to copy: 24 letters and digits without look-alikes, 137 bits. */
export function generatePassword(): string {
  const alphabet = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
  return Array.from({ length: 24 }, () => alphabet.charAt(randomInt(alphabet.length))).join("");
}

function refuse(fields: FieldError[]): void {
  refuseFields(fields);
}
