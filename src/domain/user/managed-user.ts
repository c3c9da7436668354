import { etagOf } from "../../lib/etag.ts";
import { adminRole } from "../role/builtin-roles.ts";
import type { UserProfile } from "./user.ts";

/** A user as administrators see it, without anything secret. */
export interface ManagedUser {
  readonly user: UserProfile;
  readonly hasPassword: boolean;
  /** Its state, to tell it from another. A login does not change it. */
  readonly etag: string;
}

/** What a user's state is made of. `sessionEpoch` changes with the password, and with whatever ends all sessions. */
export function toManagedUser(user: UserProfile, hasPassword: boolean, sessionEpoch: string): ManagedUser {
  const { id, username, email, status, roles, displayName, locale, claims, mustChangePassword } = user;
  const state = [id, username, email, status, roles, displayName, locale, claims, mustChangePassword];
  return { user, hasPassword, etag: etagOf([...state, hasPassword, sessionEpoch]) };
}

/** Whether it is an admin who can sign in. */
export function isWorkingAdmin({ user, hasPassword }: Pick<ManagedUser, "user" | "hasPassword">): boolean {
  return hasPassword && user.status === "active" && user.roles.includes(adminRole);
}
