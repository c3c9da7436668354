import type { User, UserId, UserProfile, UserStatus } from "./user.ts";

/** A user's public columns as `userColumns` selects them. */
export interface UserRow {
  readonly id: UserId;
  readonly username: string | null;
  readonly email: string | null;
  readonly status: UserStatus;
  readonly roles: string[];
  readonly displayName: string | null;
  readonly locale: string | null;
  readonly claims: Readonly<Record<string, unknown>> | null;
  readonly mustChangePassword: boolean;
  readonly createdAt: Date;
}

/** The columns of a `UserRow`, for a select or a returning clause. @param table its name or alias */
export function userColumns(table: string): string {
  return `${table}.id, ${table}.username, ${table}.email, ${table}.status, ${table}.roles,
    ${table}.display_name as "displayName", ${table}.locale, ${table}.claims,
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
