import { defineId, type IdKind } from "../../lib/random-id.ts";

declare const noun: unique symbol;

/**
 * A user's id, the `sub` of the user's tokens. Opaque: it begins with `usr_` where it was made here, and who was brought in
 * from elsewhere keeps the id that they had there, such as a UUID.
 */
export type UserId = string & { readonly [noun]: "user" };

const ownIds = defineId("usr");
/** UUIDs, and the ids of Auth0 and Firebase. */
const idForm = /^[A-Za-z0-9][A-Za-z0-9_|.:-]{0,127}$/;

/** Makes and recognises user ids. */
export const userIds: IdKind<UserId> = {
  create: () => ownIds.create() as string as UserId,
  from: (bytes) => ownIds.from(bytes) as string as UserId,
  is: (text): text is UserId => idForm.test(text),
};

/** The states of an account. Only `active` can sign in. */
export const userStatuses = ["active", "pending", "suspended", "deactivated"] as const;

/** One of the states of an account. */
export type UserStatus = (typeof userStatuses)[number];

/** Whether a text names a state of an account. */
export function isUserStatus(text: string): text is UserStatus {
  return (userStatuses as readonly string[]).includes(text);
}

/** A name by which a user signs in: the username, or the address where there is none. */
export function loginNameOf({ username, email }: Pick<User, "username" | "email">): string {
  return username ?? email ?? "";
}

/** A user, without anything secret. */
export interface User {
  readonly id: UserId;
  /** The name; null for a user who has an address alone. */
  readonly username: string | null;
  readonly email: string | null;
  readonly status: UserStatus;
  readonly roles: readonly string[];
  /** The name to show to people. */
  readonly displayName: string | null;
  /** The language that the user reads: a language tag (BCP 47). */
  readonly locale: string | null;
  /** The operator's own claims of the user's access tokens. */
  readonly claims: Readonly<Record<string, unknown>> | null;
  /** Whether a login is refused until the user has changed the password. */
  readonly mustChangePassword: boolean;
  readonly createdAt: Date;
}

/** What tokens say of a user. */
export type TokenUser = Pick<User, "id" | "username" | "roles" | "claims">;

/** A user as it is shown. */
export interface UserProfile extends User {
  readonly lastLoginAt: Date | null;
}
