import { defineId, type IdKind } from "../../lib/random-id.ts";

/** A user's id, the `sub` of the user's tokens. */
export type UserId = `usr_${string}`;

/** Makes and recognises user ids. */
export const userIds: IdKind<UserId> = defineId("usr");

/** The states of an account. Only `active` can sign in. */
export const userStatuses = ["active", "pending", "suspended", "deactivated"] as const;

/** One of the states of an account. */
export type UserStatus = (typeof userStatuses)[number];

/** Whether a text names a state of an account. */
export function isUserStatus(text: string): text is UserStatus {
  return (userStatuses as readonly string[]).includes(text);
}

/** A user, without anything secret. */
export interface User {
  readonly id: UserId;
  readonly username: string;
  readonly email: string | null;
  readonly status: UserStatus;
  readonly roles: readonly string[];
  readonly createdAt: Date;
  readonly lastLoginAt: Date | null;
}
