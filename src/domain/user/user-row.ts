import type { TokenUser, User, UserId, UserProfile, UserStatus } from "./user.ts";

/** What tokens say of a user, as `tokenUserColumns` selects it. */
export interface TokenUserRow {
  readonly id: UserId;
  readonly username: string | null;
  readonly roles: string[];
  readonly claims: Readonly<Record<string, unknown>> | null;
}

/** The columns of a `TokenUserRow`. @param table its name or alias */
export function tokenUserColumns(table: string): string {
  return `${table}.id, ${table}.username, ${table}.roles, ${table}.claims`;
}

/** What tokens say of the user, whatever else the row holds. */
export function tokenUserFromRow({ id, username, roles, claims }: TokenUserRow): TokenUser {
  return { id, username, roles, claims };
}

/** A user's public columns as `userColumns` selects them. */
export interface UserRow extends TokenUserRow {
  readonly email: string | null;
  readonly status: UserStatus;
  readonly displayName: string | null;
  readonly locale: string | null;
  readonly mustChangePassword: boolean;
  readonly createdAt: Date;
}

/** The columns of a `UserRow`, for a select or a returning clause. @param table its name or alias */
export function userColumns(table: string): string {
  return `${tokenUserColumns(table)}, ${table}.email, ${table}.status,
    ${table}.display_name as "displayName", ${table}.locale,
    ${table}.must_change_password as "mustChangePassword", ${table}.created_at as "createdAt"`;
}

/** The public columns alone, whatever else the row holds. */
export function userFromRow(row: UserRow): User {
  const { id, username, email, status, roles, displayName, locale, claims, mustChangePassword } = row;
  const { createdAt } = row;
  return { id, username, email, status, roles, displayName, locale, claims, mustChangePassword, createdAt };
}

/** What is shown of a user as `profileColumns` selects it. */
export interface ProfileRow extends UserRow {
  readonly lastLoginAt: Date | null;
}

/** The columns of a `ProfileRow`, for a select or a returning clause. @param table its name or alias */
export function profileColumns(table: string): string {
  return `${userColumns(table)},
    (select l.at from last_logins l where l.user_id = ${table}.id) as "lastLoginAt"`;
}

/** The columns of a profile alone, whatever else the row holds. */
export function profileFromRow(row: ProfileRow): UserProfile {
  return { ...userFromRow(row), lastLoginAt: row.lastLoginAt };
}
